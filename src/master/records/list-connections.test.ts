import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Filter } from '../../domain/filter/tree.ts';
import { SORT_ORDERS } from '../query/metrics.ts';
import { createSignal, Ticker } from './cancellation.ts';
import { listConnections } from './list-connections.ts';
import { planHints } from './plan-hints.ts';
import { CONNECTION_SORT_KEYS, CONNECTION_STATES, type ConnectionsQuery } from './query.ts';
import { ALL, createRecords, insertRecord, type TestRecords } from './records.test-support.ts';
import { addSqlFunctions } from './sql-functions.ts';

let records: TestRecords;
beforeEach(() => {
  records = createRecords();
  addSqlFunctions(records.db);
  new Ticker(records.db, createSignal()).question = 1;
});
afterEach(() => records.remove());

interface Row {
  start: number;
  length: number;
  closing: number | null;
  download: number;
  agent: string;
}

const rows: fc.Arbitrary<Row[]> = fc.array(
  fc.record({
    start: fc.integer({ min: 1, max: 1000 }),
    length: fc.integer({ min: 0, max: 100 }),
    closing: fc.option(fc.integer({ min: 0, max: 50 })),
    download: fc.integer({ min: 0, max: 5 }),
    agent: fc.constantFrom('a', 'b'),
  }),
  { maxLength: 40 },
);
const bound = fc.option(fc.integer({ min: 0, max: 1200 }));
const question = fc.record({
  from: bound,
  to: bound,
  sortBy: fc.constantFrom(...CONNECTION_SORT_KEYS),
  order: fc.constantFrom(...SORT_ORDERS),
  limit: fc.integer({ min: 1, max: 9 }),
  agent: fc.option(fc.constantFrom('a', 'b', 'c')),
  state: fc.option(fc.constantFrom(...CONNECTION_STATES)),
  // By an expression: at least so much.
  least: fc.option(fc.integer({ min: 0, max: 5 })),
});

function downloadOf(least: number): Filter {
  return { kind: 'test', field: 'download', op: '>=', values: [String(least)] };
}

function keyOf(row: Row, sortBy: ConnectionsQuery['sortBy']): number {
  if (sortBy === 'start') return row.start;
  if (sortBy === 'last_updated') return row.start + row.length;
  return sortBy === 'upload' ? 0 : row.download;
}

it('lists just what overlaps, in order, page by page, whichever index SQLite is led to', () => {
  fc.assert(
    fc.property(rows, question, (all, { from, to, sortBy, order, limit, agent, state, least }) => {
      records.db.exec('DELETE FROM connections');
      for (const [index, row] of all.entries()) {
        const updated = row.start + row.length;
        insertRecord(records.db, {
          id: `${index}`,
          agent_id: row.agent,
          start_ms: row.start,
          updated_ms: updated,
          closed_at: row.closing === null ? null : updated + row.closing,
          download: row.download,
        });
      }
      const expected = [...all.entries()]
        .filter(([, row]) => agent === null || row.agent === agent)
        .filter(([, row]) => state === null || (row.closing === null) === (state === 'open'))
        .filter(([, row]) => least === null || row.download >= least)
        .filter(([, row]) => to === null || row.start < to)
        .filter(([, row]) => {
          const end = row.closing === null ? Number.POSITIVE_INFINITY : row.start + row.length + row.closing;
          return from === null || end >= from;
        })
        .sort(([a, left], [b, right]) => keyOf(left, sortBy) - keyOf(right, sortBy) || a - b)
        .map(([index]) => `${index}`);
      if (order === 'desc') expected.reverse();

      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const query: ConnectionsQuery = {
          ...ALL,
          filters: agent === null ? {} : { agent_id: agent },
          state,
          filter: least === null ? null : downloadOf(least),
          ...{ from, to, sortBy, order, limit, offset: 0, cursor },
        };
        const page = listConnections(records.db, query);
        expect(page.total).toBe(expected.length);
        seen.push(...page.records.map(({ record }) => record.id));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(seen).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

it('leads SQLite to the end of time at which an interval lies, and to sorting what is narrow', () => {
  insertRecord(records.db, { id: 'first', start_ms: 1000 });
  insertRecord(records.db, { id: 'last', start_ms: 100_000 });
  const hints = (from: number | null, to: number | null) =>
    planHints(records.db, { from, to } as ConnectionsQuery);
  expect(hints(null, 50)).toEqual({ start: '', key: '' });
  expect(hints(95_000, 100_000)).toEqual({ start: '+', key: '+' });
  expect(hints(95_000, null)).toEqual({ start: '+', key: '+' });
  expect(hints(2000, 3000)).toEqual({ start: '', key: '+' });
  expect(hints(2000, 100_000)).toEqual({ start: '+', key: '' });
});
