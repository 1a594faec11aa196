import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedFactStore } from '../store/embedded/embedded-fact-store.ts';
import { fact, lotOf, unattributed } from '../store/facts.test-support.ts';
import type { Fact } from '../store/store.ts';
import { ConnectionBytes } from './connection-bytes.ts';

const FIRST = 29_000_000;
const MINUTE = 60_000;

let directory: string;
let facts: EmbeddedFactStore;
let lots: number;
let flushes: number;
let bytes: ConnectionBytes;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'connection-bytes-'));
  facts = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 1 });
  await facts.start();
  [lots, flushes] = [0, 0];
  const freshness = {
    flushNow: async () => {
      flushes++;
    },
    state: { freshTo: 123 },
  };
  bytes = new ConnectionBytes({ facts, freshness });
});
afterEach(async () => {
  await facts.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function add(...added: Fact[]): Promise<void> {
  await facts.append(lotOf(++lots, added), [added]);
}

/** Lets retention take the minutes before this one. */
async function cutMinutes(from: number): Promise<void> {
  await facts.rollUp(1_000_000);
  await facts.dropBefore('minute', from, lots);
}

describe('what was booked to single connections', () => {
  it('is summed in the range alone, half-open, bounds inside a minute moved outwards', async () => {
    await add(
      fact({ conn: 1, bucket: FIRST, download: 1, upload: 10 }),
      fact({ conn: 1, bucket: FIRST + 1, prev: FIRST, download: 2, upload: 20 }),
      fact({ conn: 1, bucket: FIRST + 1, prev: FIRST, download: 4, upload: 40, recovered: true, conns: 0 }),
      fact({ conn: 1, bucket: FIRST + 2, prev: FIRST + 1, download: 8, upload: 80 }),
      fact({ conn: 2, bucket: FIRST + 1, download: 5 }),
      fact({ conn: 3, bucket: FIRST + 1, download: 7, kind: 1 }),
      unattributed('home', FIRST + 1, 1000),
    );
    const all = await bytes.inRange([1, 2, 3, 4], {});
    expect(all.cut).toBeNull();
    expect([...all.bytes]).toEqual([
      [1, { download: 15, upload: 150, recovered: 44 }],
      [2, { download: 5, upload: 0, recovered: 0 }],
      [3, { download: 7, upload: 0, recovered: 0 }],
      [4, { download: 0, upload: 0, recovered: 0 }],
    ]);
    const at = (from: number, to: number) => ({ from: from * MINUTE, to: to * MINUTE });
    const middle = await bytes.inRange([1], at(FIRST + 1, FIRST + 2));
    expect(middle.bytes.get(1)).toEqual({ download: 6, upload: 60, recovered: 44 });
    const inside = await bytes.inRange([1], at(FIRST + 1.5, FIRST + 1.6));
    expect(inside.bytes.get(1)).toEqual(middle.bytes.get(1));
    expect((await bytes.inRange([], {})).bytes.size).toBe(0);
  });

  it('is listed minute by minute, in order of time', async () => {
    await add(fact({ conn: 1, bucket: FIRST + 1, prev: FIRST, download: 2, upload: 1 }));
    await add(fact({ conn: 1, bucket: FIRST, download: 1 }), fact({ conn: 2, bucket: FIRST, download: 9 }));
    await add(fact({ conn: 1, bucket: FIRST + 1, prev: FIRST, download: 4, recovered: true, conns: 0 }));
    expect(await bytes.minutes(1)).toEqual({
      minutes: [
        [FIRST * MINUTE, 1, 0, 0],
        [(FIRST + 1) * MINUTE, 6, 1, 4],
      ],
      cut: null,
    });
    expect(await bytes.minutes(3)).toEqual({ minutes: [], cut: null });
  });

  it('is refreshed on demand, and says up to when', async () => {
    expect(await bytes.refresh()).toBe(123);
    expect(flushes).toBe(1);
  });

  it('is null where minutes may be gone, and exact where the first one is still there', async () => {
    await add(
      fact({ conn: 1, bucket: FIRST, download: 1 }),
      fact({ conn: 2, bucket: FIRST, download: 2 }),
      fact({ conn: 2, bucket: FIRST + 9, prev: FIRST, download: 20 }),
      fact({ conn: 3, bucket: FIRST + 8, download: 3 }),
      fact({ conn: 3, bucket: FIRST + 9, prev: FIRST + 8, download: 30 }),
    );
    await cutMinutes(FIRST + 5);
    const cut = { from: (FIRST + 5) * MINUTE };
    for (const bounds of [{}, { from: FIRST * MINUTE }, { to: (FIRST + 20) * MINUTE }]) {
      const found = await bytes.inRange([1, 2, 3], bounds);
      expect(found.cut).toEqual(cut);
      expect([...found.bytes.values()].map((one) => one?.download ?? null)).toEqual([null, null, 33]);
    }
    // All of this range is kept, whatever the connections did before.
    const kept = await bytes.inRange([1, 2, 3], { from: (FIRST + 5) * MINUTE });
    expect(kept.cut).toBeNull();
    expect([...kept.bytes.values()].map((one) => one?.download)).toEqual([0, 20, 33]);

    expect(await bytes.minutes(1)).toEqual({ minutes: null, cut });
    expect(await bytes.minutes(2)).toEqual({ minutes: [[(FIRST + 9) * MINUTE, 20, 0, 0]], cut });
    expect((await bytes.minutes(3)).cut).toBeNull();
  });

  it('is the sum of the facts, for any range', async () => {
    const one = fc.record({
      conn: fc.integer({ min: 1, max: 5 }),
      at: fc.nat(20),
      down: fc.nat(100),
      recovered: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(one, { minLength: 1, maxLength: 20 }),
        fc.nat(20),
        fc.nat(20),
        async (made, from, more) => {
          const base = 100 * lots;
          const rows = made.map((row) =>
            fact({
              conn: base + row.conn,
              bucket: FIRST + row.at,
              download: row.down,
              upload: 1,
              recovered: row.recovered,
            }),
          );
          await add(...rows);
          const to = from + more;
          const found = await bytes.inRange([base + 1, base + 2], {
            from: (FIRST + from) * MINUTE,
            to: (FIRST + to) * MINUTE,
          });
          for (const conn of [1, 2]) {
            const own = made.filter((row) => row.conn === conn && row.at >= from && row.at < to);
            const sum = (of: (row: (typeof made)[number]) => number) =>
              own.reduce((total, row) => total + of(row), 0);
            expect(found.bytes.get(base + conn)).toEqual({
              download: sum((row) => row.down),
              upload: own.length,
              recovered: sum((row) => (row.recovered ? row.down + 1 : 0)),
            });
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
