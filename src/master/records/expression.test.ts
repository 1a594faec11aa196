import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../domain/filter/parser.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import { SETTLED } from './columns.ts';
import { recordExpression } from './expression.ts';
import type { ConnectionsQuery } from './query.ts';
import { ALL, insertOriginal, insertRecord, readRecordsInEachTest } from './records.test-support.ts';

const given = readRecordsInEachTest();
const HOUR = 3_600_000;
const NOW = ALL.now;

function parsed(text: string): Filter {
  const result = parseFilter(text, { of: 'connections' });
  if (!result.ok || result.filter === null) throw new Error(JSON.stringify(result));
  return result.filter;
}

async function found(text: string, query: Partial<ConnectionsQuery> = {}): Promise<string[]> {
  const page = await given.reader.connections({ ...ALL, ...query, filter: parsed(text) });
  return page.records.map(({ record }) => record.id).sort();
}

/** What is on records alone, where no fact can be compared with. */
describe('a filter on what connections alone have', () => {
  it.each([
    ['download > 1GiB', ['big']],
    ['download >= 1GiB', ['big', 'gib']],
    ['download = 1GiB', ['gib']],
    ['download != 1GiB', ['big', 'old', 'small']],
    ['upload < 1kB', ['gib', 'old', 'small']],
    ['not upload >= 1000', ['gib', 'old', 'small']],
    ['age > 2h', ['big']],
    ['age <= 30m', ['gib']],
    ['not age > 2h', ['gib', 'old', 'small']],
    ['start >= 2026-01-10T11:00:00Z', ['gib', 'small']],
    ['start < 2026-01-10T11:00', ['big']],
    ['start < 2026-01-11', ['big', 'gib', 'small']],
    ['state = open', ['big', 'small']],
    ['state = closed', ['gib', 'old']],
    ['state != open', ['gib', 'old']],
    ['state in (open, closed)', ['big', 'gib', 'old', 'small']],
    ['source_port = 50000-50010', ['gib']],
    ['source_port > 60000', ['big']],
    ['uid = 1000', ['small']],
    ['uid != 1000', ['big', 'gib', 'old']],
    ['dscp >= 46', ['small']],
    ['dns_mode = fake-ip', ['small']],
    ['dns_mode is empty', ['big', 'gib', 'old']],
    ['sniff_host under example.com', ['small']],
    ['sniff_host =~ "^[a-z]+\\\\.EXAMPLE"', ['small']],
    ['sniff_host ~ example or age > 2h', ['big', 'small']],
    ['state = open and not (uid = 1000)', ['big']],
    ['agent = unknown', ['old']],
    ['agent != unknown', ['big', 'gib', 'small']],
    ['agent in (unknown, a)', ['big', 'gib', 'old', 'small']],
  ])('%s', async (text, expected) => {
    const { db } = given.records;
    insertRecord(db, {
      id: 'big',
      download: 2 ** 30 + 1,
      upload: 1000,
      start_ms: NOW - 3 * HOUR,
      source_port: '61000',
    });
    insertRecord(db, {
      id: 'gib',
      download: 2 ** 30,
      start_ms: NOW - HOUR,
      updated_ms: NOW - HOUR / 2,
      closed_at: NOW - HOUR / 2,
      source_port: '50010',
    });
    insertRecord(db, {
      id: 'small',
      start_ms: NOW - HOUR + 1000,
      uid: 1000,
      dscp: 46,
      dns_mode: 'fake-ip',
      sniff_host: 'www.EXAMPLE.com',
    });
    // Waits for its import: without agent, without times, with counters that no core has.
    insertOriginal(db, { id: 'old', agent_id: null, conn_download: -7, conn_upload: null });
    expect(await found(text)).toEqual(expected);
  });

  it('reads local times in the zone of the question', async () => {
    insertRecord(given.records.db, { id: 'a', start_ms: Date.UTC(2026, 0, 9, 23, 30) });
    expect(await found('start >= 2026-01-10')).toEqual([]);
    expect(await found('start >= 2026-01-10', { zone: 'Europe/Berlin' })).toEqual(['a']);
    expect(await found('start >= 2026-01-10T00:30', { zone: 'Europe/Berlin' })).toEqual(['a']);
    expect(await found('start > 2026-01-10T00:30', { zone: 'Europe/Berlin' })).toEqual([]);
  });

  it('takes a start that the core did not say for no start, and no age', async () => {
    insertRecord(given.records.db, { id: 'a', start_ms: 0, updated_ms: 5000 });
    expect(await found('start < 2026-01-10')).toEqual([]);
    expect(await found('age > 1s or age <= 1s')).toEqual([]);
    expect(await found('not age > 1s')).toEqual(['a']);
  });

  it('stands beside parameters, state and counted', async () => {
    const { db } = given.records;
    insertRecord(db, { id: 'a', host: 'x.example', agent_id: 'a' });
    insertRecord(db, { id: 'b', host: 'x.example', agent_id: 'b', closed_at: 5 });
    insertRecord(db, { id: 'c', host: 'x.example', agent_id: 'b', counted: 0 });
    expect(await found('x.example')).toEqual(['a', 'b', 'c']);
    expect(await found('x.example', { filters: { agent_id: 'b' } })).toEqual(['b', 'c']);
    expect(await found('x.example', { state: 'open' })).toEqual(['a', 'c']);
    expect(await found('x.example', { state: 'closed' })).toEqual(['b']);
    expect(await found('x.example', { counted: false })).toEqual(['c']);
    expect(await found('x.example', { counted: true, state: 'open', filters: { agent: 'b' } })).toEqual([]);
  });
});

describe('the SQL of a filter', () => {
  it('has every text of a user as a value', () => {
    const evil = '"\'; DROP TABLE connections; --"';
    const text = `${evil} or host = ${evil} or node in (${evil}, ${evil}) or payload =~ ${evil} or site under ${evil}
      or agent != ${evil} or asn ~ ${evil} or device = 10.0.0.1 or age > 5h or start < 2026-01-01 or download > 5MB`;
    const reading = { columns: SETTLED, now: NOW, zone: 'UTC' };
    const { sql, values } = recordExpression(parsed(text), reading);
    expect(sql).not.toMatch(/drop/i);
    expect(sql.match(/\?/g)).toHaveLength(values.length);
    expect(sql).toMatchSnapshot();
  });

  it('finds agents by their index', () => {
    const reading = { columns: SETTLED, now: NOW, zone: 'UTC' };
    const { sql, values } = recordExpression(parsed('agent = a and download > 5MB'), reading);
    const plan = given.records.db
      .prepare(`EXPLAIN QUERY PLAN SELECT 1 FROM records c WHERE ${sql} ORDER BY c.updated_ms DESC LIMIT 9`)
      .all(...values) as { detail: string }[];
    expect(plan.map(({ detail }) => detail)).toEqual([
      expect.stringContaining('records_agent'),
      'SCALAR SUBQUERY 1',
      expect.stringContaining('SEARCH texts'),
    ]);
  });
});
