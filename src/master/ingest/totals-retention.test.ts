import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openStore, type Sqlite } from '../../common/sqlite.ts';
import { RECORDS_FILE } from './schema.ts';
import { type TotalsPart, TotalsRetention } from './totals-retention.ts';

const DAY = 1440;
const BEGIN = 20_000 * DAY;

interface Row {
  agent: string;
  minute: number;
  sums: [number, number, number, number];
}

function put(db: Sqlite, rows: readonly Row[]): void {
  const insert = db.prepare(
    `INSERT INTO core_totals (agent_id, minute, down, up, unmeasured_down, unmeasured_up) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  db.transaction(() => {
    for (const { agent, minute, sums } of rows) insert.run(agent, BEGIN + minute, ...sums);
  })();
}

function stored(db: Sqlite): Row[] {
  const rows = db.prepare('SELECT * FROM core_totals ORDER BY agent_id, minute').raw().all();
  return (rows as [string, number, number, number, number, number][]).map(([agent, minute, ...sums]) => ({
    agent,
    minute: minute - BEGIN,
    sums,
  }));
}

/** A whole pass; returns the rows that each step changed. */
function pass(db: Sqlite, minute: number, halfHour: number): number[] {
  const retention = new TotalsRetention(db);
  const changes = db.prepare('SELECT total_changes()').pluck();
  const borders = { minute: BEGIN + minute, half_hour: BEGIN + halfHour };
  const steps: number[] = [];
  let part: TotalsPart | null = null;
  do {
    const before = changes.get() as number;
    part = retention.step(borders, part);
    steps.push((changes.get() as number) - before);
  } while (part !== null);
  return steps;
}

/** Sums by agent and key of the minute, as text. */
function sumsBy(rows: readonly Row[], keyOf: (minute: number) => number): Map<string, string> {
  const by = new Map<string, number[]>();
  for (const { agent, minute, sums } of rows) {
    const key = `${agent} ${keyOf(minute)}`;
    by.set(
      key,
      sums.map((value, index) => value + (by.get(key)?.[index] ?? 0)),
    );
  }
  return new Map([...by].map(([key, sums]) => [key, sums.join(' ')]));
}

const bytes = fc.oneof(fc.nat(5), fc.integer({ min: -50, max: 2 ** 40 }));
const row = fc.record({
  agent: fc.constantFrom('a', 'b', 'ä'),
  minute: fc.nat(4 * DAY),
  sums: fc.tuple(bytes, bytes, bytes, bytes),
});

describe('core totals', () => {
  it('are kept as the facts are: all sums over whole half hours stay what they were', () => {
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 80 }),
        fc.array(row, { maxLength: 20 }),
        fc.tuple(fc.nat(4), fc.nat(4)).map(([a, b]) => [Math.max(a, b) * DAY, Math.min(a, b) * DAY] as const),
        (rows, late, [minute, halfHour]) => {
          const db = openStore(':memory:', RECORDS_FILE);
          try {
            put(db, rows);
            for (const added of [[], late]) {
              put(db, added);
              const before = stored(db).filter((one) => one.minute >= halfHour);
              pass(db, minute, halfHour);
              const after = stored(db);
              const kept = (at: number) => (at < minute ? at - (at % 30) : at);
              expect(sumsBy(after, (at) => at)).toEqual(sumsBy(before, kept));
              expect(pass(db, minute, halfHour).every((changed) => changed === 0)).toBe(true);
            }
          } finally {
            db.close();
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('become half hours, and go, by steps that agents need not wait for', () => {
    const db = openStore(':memory:', RECORDS_FILE);
    const minutes = Array.from({ length: 5 * DAY }, (_, minute) => minute);
    put(
      db,
      ['a', 'b'].flatMap((agent) => minutes.map((minute): Row => ({ agent, minute, sums: [1, 2, 3, 4] }))),
    );
    const made = pass(db, 4 * DAY, 0);
    expect(stored(db)).toHaveLength(2 * (4 * 48 + DAY));
    expect(stored(db)[0]?.sums).toEqual([30, 60, 90, 120]);
    // A day at a time: its half hours, and its minutes that go.
    expect(Math.max(...made)).toBe(48 + DAY - 48);
    expect(Math.max(...pass(db, 4 * DAY, 4 * DAY))).toBeLessThanOrEqual(1000);
    expect(stored(db)).toHaveLength(2 * DAY);
    expect(Math.max(...pass(db, 5 * DAY, 5 * DAY))).toBe(1000);
    expect(stored(db)).toEqual([]);
    db.close();
  });

  it('that no integer can sum stop nothing', () => {
    const db = openStore(':memory:', RECORDS_FILE);
    const most = 2 ** 62;
    put(
      db,
      [0, 1, 2].map((minute): Row => ({ agent: 'a', minute, sums: [most, 1, -most, 0] })),
    );
    pass(db, DAY, 0);
    const { MAX_SAFE_INTEGER } = Number;
    expect(stored(db)).toEqual([
      { agent: 'a', minute: 0, sums: [MAX_SAFE_INTEGER, 3, -MAX_SAFE_INTEGER, 0] },
    ]);
    db.close();
  });
});
