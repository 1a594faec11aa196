import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import type { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { rowsOf } from '../../src/master/store/tiers.test-support.ts';
import { TestDirectory } from '../support/directory.ts';
import { SPAN, Stores } from './stores.ts';

const directory = new TestDirectory();
afterAll(() => directory.remove());

const CONNECTIONS = 6;

const sample = fc.record({
  conn: fc.nat(CONNECTIONS - 1),
  minute: fc.oneof(fc.nat(SPAN), fc.nat(120)),
  down: fc.nat(5000),
  up: fc.nat(50),
});
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      samples: fc.array(sample, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('forget' as const) }) },
);
/** Minutes after MINUTE at which connections began, and their bases: history from before the tracker. */
const connections = fc.array(fc.record({ start: fc.nat(SPAN), base: fc.constantFrom(0, 700) }), {
  minLength: CONNECTIONS,
  maxLength: CONNECTIONS,
});

const TOTALS = (tables: string) => `SELECT h.host AS host, sum(f.down)::BIGINT AS d, sum(f.up)::BIGINT AS u
  FROM (${tables}) AS f JOIN host AS h ON h.id = f.host WHERE h.host <> '' GROUP BY 1 ORDER BY 1`;
const COARSE = 'SELECT host, down, up FROM half_hour UNION ALL SELECT host, down, up FROM half_hour_aside';

/** The half hour in which each connection moved last. */
const ENDS =
  'SELECT h.host AS host, max(bucket) AS b FROM half_hour AS f JOIN host AS h ON h.id = f.host GROUP BY 1 ORDER BY 1';

it('facts made of records: totals of each connection to the byte, counted once, with what is still kept', async () => {
  await fc.assert(
    fc.asyncProperty(
      connections,
      fc.array(step, { minLength: 2, maxLength: 12 }),
      fc.boolean(),
      async (begun, steps, forgetsLast) => {
        const stores = new Stores(directory.path);
        try {
          for (const one of steps) {
            if (one.kind === 'deliver') stores.deliver(begun, one.samples);
            else if (one.kind === 'flush') await stores.flush(async () => {});
            else stores.forget();
          }
          const before = await stores.flush(async (store) => ({
            totals: await rowsOf(store, TOTALS(COARSE)),
            all: await rowsOf(store, `SELECT coalesce(sum(down), 0)::BIGINT AS d FROM (${COARSE})`),
            ends: await rowsOf(store, ENDS),
          }));
          if (forgetsLast) stores.forget();
          const rebuilt = await stores.rebuild();
          await stores.flush(async (store) => {
            expect(await rowsOf(store, TOTALS(COARSE))).toEqual(before.totals);
            expect(await rowsOf(store, ENDS)).toEqual(before.ends);
            await expectCounts(store, before.totals.length);
            const missing = await store.missing();
            const lost = missing.reduce((sum, { download }) => sum + download, 0);
            const all = await rowsOf(store, `SELECT coalesce(sum(down), 0)::BIGINT AS d FROM (${COARSE})`);
            expect(Number(all[0]?.d) + lost).toBe(Number(before.all[0]?.d));
            expect(missing.every(({ reason }) => reason === 'rebuilt')).toBe(true);
            if (rebuilt.lots === 0) expect(missing).toEqual([]);
          });
        } finally {
          stores.merger.close();
        }
      },
    ),
    { numRuns: 12 },
  );
}, 300_000);

/** Each host is one connection: counted once from any half hour on, in which it has bytes, also where minutes follow. */
async function expectCounts(store: EmbeddedFactStore, hosts: number): Promise<void> {
  const rows = (
    await rowsOf(
      store,
      `SELECT bucket, prev, conns, host FROM half_hour UNION ALL SELECT bucket, prev, conns, host FROM half_hour_aside WHERE kind = 1`,
    )
  ).map((row) => ({
    bucket: Number(row.bucket),
    prev: Number(row.prev),
    conns: Number(row.conns),
    host: Number(row.host),
  }));
  expect(new Set(rows.map(({ host }) => host)).size).toBe(hosts);
  for (const from of new Set(rows.map(({ bucket }) => bucket))) {
    const inside = rows.filter(({ bucket }) => bucket >= from);
    const counted = inside.filter(({ prev }) => prev < from).reduce((sum, { conns }) => sum + conns, 0);
    expect(counted, `from ${from}`).toBe(new Set(inside.map(({ host }) => host)).size);
  }
}
