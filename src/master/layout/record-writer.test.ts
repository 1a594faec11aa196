import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Sqlite } from '../../common/sqlite.ts';
import { columnOf, DESCRIPTIVE_FIELDS } from '../../domain/connection.ts';
import { EARLIEST_MS, formatTime, LATEST_MS } from '../../domain/time.ts';
import { RECORDS_FILE } from '../ingest/schema.ts';
import { SHOWN_COLUMNS } from './columns.ts';
import { type NewRecord, RecordWriter } from './record-writer.ts';

let db: Sqlite;
let writer: RecordWriter;
beforeAll(() => {
  db = openStore(':memory:', RECORDS_FILE);
  writer = new RecordWriter(db);
});
afterAll(() => db.close());

const anyText = fc.oneof(
  fc.constantFrom(
    '',
    'null',
    '[]',
    ' ',
    '0',
    '00',
    '-1',
    '+1',
    '1e3',
    '443',
    '0443',
    ' 443',
    '443 ',
    '65536',
  ),
  fc.constantFrom(
    '99999999',
    '123456789',
    '4.0',
    '0x50',
    '９９',
    "'; DROP TABLE records; --",
    '["A","b"]',
    '\u0000',
    'a\u0000b',
  ),
  fc.nat(70_000).map(String),
  fc.string({ unit: 'binary', maxLength: 300 }),
);
const id = fc.oneof(
  fc.uuid(),
  fc.uuid().map((text) => text.toUpperCase()),
  fc.uuid().map((text) => text.replaceAll('-', '')),
  fc.uuid().map((text) => ` ${text}`),
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.constantFrom('', '0', '1234567890123456'),
);
const ms = fc.integer({ min: EARLIEST_MS, max: LATEST_MS });
const bytes = fc.record({ download: fc.maxSafeNat(), upload: fc.maxSafeNat() });
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 8 });
const field = (type: string): fc.Arbitrary<unknown> =>
  orNull<unknown>(type === 'integer' ? fc.nat(0xffffffff) : anyText);
const given = fc.record({
  id: orNull(id),
  agentId: orNull(anyText),
  startMs: orNull(ms),
  isStartUnknown: fc.boolean(),
  updatedMs: orNull(ms),
  closedAt: orNull(ms),
  arrivedAt: orNull(ms),
  lastBucket: fc.nat(),
  counter: bytes,
  base: bytes,
  recovered: bytes,
  counted: fc.boolean(),
  isImported: fc.boolean(),
  values: fc.tuple(...DESCRIPTIVE_FIELDS.map(({ type }) => field(type))),
});

/** What `connections` must show of it. */
function shown(record: Omit<NewRecord, 'fields'>, values: readonly unknown[]): Record<string, unknown> {
  const { startMs, updatedMs, counter, base, recovered } = record;
  const start = startMs === null ? null : formatTime(startMs);
  return {
    id: record.id,
    agent_id: record.agentId,
    num: record.num,
    ...{ conn_download: counter.download, conn_upload: counter.upload },
    ...{ last_updated: updatedMs === null ? null : formatTime(updatedMs), updated_ms: updatedMs },
    ...{ start: record.isStartUnknown ? '' : start, start_ms: startMs, closed_at: record.closedAt },
    ...{ base_down: base.download, base_up: base.upload },
    ...{ recovered_down: recovered.download, recovered_up: recovered.upload },
    ...{ last_bucket: record.lastBucket, arrived_at: record.arrivedAt },
    ...{ counted: record.counted ? 1 : 0, imported: record.isImported ? 1 : null },
    ...Object.fromEntries(DESCRIPTIVE_FIELDS.map((one, i) => [columnOf(one), values[i]])),
  };
}

describe('a record as it lies in the file', () => {
  it('is shown by the view as it was given, whatever its values', () => {
    let num = 0;
    const read = db.prepare('SELECT * FROM connections WHERE num = ?');
    // Two of them may have one key; what is asked here is what becomes of values.
    db.exec('DROP INDEX records_id');
    fc.assert(
      fc.property(given, ({ values, ...rest }) => {
        const record = { ...rest, num: ++num };
        writer.insert({ ...record, fields: (one) => values[DESCRIPTIVE_FIELDS.indexOf(one)] });
        const row = read.get(num) as Record<string, unknown>;
        expect(Object.keys(row)).toEqual(SHOWN_COLUMNS);
        expect(row).toEqual(shown(record, values));
      }),
      { numRuns: 1000 },
    );
  });

  it('has each text once, a UUID in 16 bytes and a port as a number', () => {
    const uuid = '0b0e7b9c-3d59-4c1e-9a53-1d2f00aa11ff';
    const texts = () => db.prepare('SELECT count(*) FROM texts').pluck().get() as number;
    const before = texts();
    const values: Record<string, string> = {
      host: 'only.example',
      sniff_host: 'only.example',
      source_port: '50123',
    };
    for (const num of [-1, -2]) {
      writer.insert({
        ...{ num, id: uuid, agentId: `agent ${num}`, startMs: 0, isStartUnknown: false, updatedMs: 0 },
        ...{ closedAt: null, arrivedAt: 0, lastBucket: 0, counted: true, isImported: false },
        counter: { download: 0, upload: 0 },
        base: { download: 0, upload: 0 },
        recovered: { download: 0, upload: 0 },
        fields: ({ name, type }) => values[name] ?? (type === 'integer' ? 0 : ''),
      });
    }
    expect(texts()).toBe(before + 3);
    const row = db
      .prepare('SELECT hex(id) AS id, host, sniff_host, source_port, rule FROM records WHERE num = -2')
      .get();
    const { host } = row as { host: number };
    expect(row).toEqual({
      ...{ id: uuid.replaceAll('-', '').toUpperCase(), host, sniff_host: host },
      ...{ source_port: 50_123, rule: 0 },
    });
  });
});

describe('a question to the view', () => {
  const plan = (sql: string) =>
    (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail);

  it.each([
    ['SELECT conn_download FROM connections WHERE num = 7', 'SEARCH r USING INTEGER PRIMARY KEY (rowid=?)'],
    [
      'SELECT num FROM connections WHERE updated_ms > 7 ORDER BY updated_ms',
      'SEARCH r USING COVERING INDEX records_updated (updated_ms>?)',
    ],
    [
      'SELECT num FROM connections WHERE start_ms < 7',
      'SEARCH r USING COVERING INDEX records_start (start_ms<?)',
    ],
    ['SELECT sum(conn_download) FROM connections', 'SCAN r'],
  ])('reads nothing that it need not: %s', (sql, expected) => {
    expect(plan(sql)).toEqual([expected]);
  });
});
