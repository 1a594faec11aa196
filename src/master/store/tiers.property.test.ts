import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EmbeddedFactStore } from './embedded/embedded-fact-store.ts';
import { fact, lotOf, tokenOf, unattributed } from './facts.test-support.ts';
import type { Fact } from './store.ts';
import { expectTiersToAgree, rowsOf } from './tiers.test-support.ts';

/** A lot takes some 20 ms, and a history has up to twenty. */
const RUNS = 20;
const TIMEOUT_MS = 300_000;
const BEGIN = 29_000_010;
/** Three days, so that facts come late by days and retention has days to drop. */
const SPAN = 3 * 1440;
const HOSTS = ['', 'a.example.com', 'b.example.com'];

/** Something that a connection, or an agent, has moved by a minute. */
const event = fc.record({
  conn: fc.integer({ min: 0, max: 9 }),
  minute: fc.oneof(fc.nat(SPAN), fc.nat(40)),
  download: fc.integer({ min: -20, max: 1000 }),
  upload: fc.nat(10),
  recovered: fc.boolean(),
});
/** Nothing negative, where sums of unknown parts are told. */
const positive = event.map((one) => ({ ...one, download: Math.abs(one.download) }));
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

/** `share` and `lots` choose among what there is: a lot, a watermark, a bucket. */
const stepOf = () =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('lot' as const),
        events: fc.array(event, { minLength: 1, maxLength: 12 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('roll up' as const), maxRows: fc.constantFrom(1, 15, 1000) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('drop minutes' as const, 'drop half hours' as const, 'merge' as const),
        share: fc.nat(99),
        lots: fc.nat(99),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), share: fc.nat(99) }) },
  );
/** Lots and rollups, minutes dropped and days merged up to a late one of them, and some more lots. */
const belowTheFloor = fc
  .tuple(
    fc.array(lotsAndRollup(), { minLength: 2, maxLength: 4 }),
    fc.array(
      fc.record({
        kind: fc.constantFrom('drop minutes' as const, 'merge' as const),
        share: fc.integer({ min: 40, max: 99 }),
        lots: fc.integer({ min: 50, max: 99 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    fc.array(lotsAndRollup(), { maxLength: 2 }),
  )
  .map(([before, dropped, after]): Step[] => [...before.flat(), ...dropped, ...after.flat()]);

function lotsAndRollup(): fc.Arbitrary<Step[]> {
  const lots = fc.array(fc.array(positive, { minLength: 2, maxLength: 8 }), { minLength: 1, maxLength: 4 });
  return lots.map((each) => [
    ...each.map((events) => ({ kind: 'lot' as const, events })),
    { kind: 'roll up' as const, maxRows: 1000 },
  ]);
}

type Step = ReturnType<typeof stepOf> extends fc.Arbitrary<infer S> ? S : never;

interface StoredFact extends Fact {
  lot: number;
  /** Its minute was dropped. */
  dropped: boolean;
}

/** The facts in a list, and what was done to them said in words. */
class Model {
  facts: StoredFact[] = [];
  lots = 0;
  watermarks: number[] = [];
  floor = 0;
  cuts = 0;

  get watermark(): number {
    return this.watermarks.at(-1) ?? 0;
  }

  /** As the merge books: never before the newest fact of the connection. */
  lotOf(events: readonly Event[]): Fact[] {
    const newest = new Map<number, number>();
    for (const { conn, bucket } of this.facts) newest.set(conn, Math.max(bucket, newest.get(conn) ?? 0));
    return events.map(({ conn, minute, download, upload, recovered }) => {
      if (conn === 0) return unattributed('home', BEGIN + minute, download, upload);
      const prev = newest.get(conn) ?? 0;
      const bucket = Math.max(BEGIN + minute, prev);
      newest.set(conn, bucket);
      return fact({
        conn,
        kind: conn % 4 === 3 ? 1 : 0,
        bucket,
        prev,
        conns: bucket === prev ? 0 : 1,
        recovered,
        download: Math.max(0, download),
        upload,
        agent: conn % 2 === 0 ? 'home' : 'office',
        fields: { host: HOSTS[conn % HOSTS.length] ?? '' },
      });
    });
  }
}

const halfHour = (bucket: number): number => bucket - (bucket % 30);
const STITCHED = (aside = '') =>
  `(SELECT * FROM half_hour${aside} UNION ALL BY NAME SELECT * EXCLUDE (conn) FROM minute${aside}
    WHERE lot > (SELECT coalesce(max(lot), 0) FROM rollups))`;

async function perform(store: EmbeddedFactStore, model: Model, step: Step): Promise<void> {
  switch (step.kind) {
    case 'lot': {
      const facts = model.lotOf(step.events);
      const lot = ++model.lots;
      await store.append(lotOf(lot, facts, tokenOf(lot, 'abcdef'[model.cuts % 6])), [facts]);
      model.facts.push(...facts.map((one) => ({ ...one, lot, dropped: false })));
      return;
    }
    case 'roll up': {
      const { watermark } = await store.rollUp(step.maxRows);
      if (watermark > model.watermark) model.watermarks.push(watermark);
      return;
    }
    case 'cut': {
      const lot = Math.floor((model.lots * step.share) / 100);
      // Below the floor something of remaining lots may go: the other property.
      if (lot < model.floor) return;
      expect(await store.cutAbove(lot)).toMatchObject({ exact: true });
      model.facts = model.facts.filter((one) => one.lot <= lot);
      model.watermarks = model.watermarks.filter((one) => one <= lot);
      model.lots = lot;
      model.cuts++;
      return;
    }
    default: {
      const watermark = model.watermarks[Math.floor((model.watermarks.length * step.lots) / 100)];
      if (watermark === undefined) return;
      const bucket = halfHour(BEGIN + Math.floor((SPAN * step.share) / 100));
      if ((await dropOrMerge(store, step.kind, bucket, watermark)) === 0) return;
      model.floor = Math.max(model.floor, watermark);
      if (step.kind !== 'drop minutes') return;
      for (const one of model.facts) if (one.bucket < bucket && one.lot <= watermark) one.dropped = true;
    }
  }
}

/** Rows that went. */
async function dropOrMerge(
  store: EmbeddedFactStore,
  kind: 'drop minutes' | 'drop half hours' | 'merge',
  bucket: number,
  lot: number,
): Promise<number> {
  if (kind === 'merge') return (await store.mergeFragments(bucket, lot)).saved;
  return await store.dropBefore(kind === 'drop minutes' ? 'minute' : 'half_hour', bucket, lot);
}

/** Bytes by half hour and dimension, both kinds of tables, against the list. */
async function expectSums(store: EmbeddedFactStore, model: Model, from: number): Promise<void> {
  for (const aside of ['', '_aside']) {
    const rows = await rowsOf(
      store,
      `SELECT bucket // 30 * 30 AS b, agent, h.host AS host, sum(up)::INTEGER AS u, sum(down)::INTEGER AS d
       FROM ${STITCHED(aside)} AS f JOIN host AS h ON h.id = f.host WHERE bucket >= ${from} GROUP BY ALL`,
    );
    const expected = new Map<string, { u: number; d: number }>();
    for (const one of model.facts) {
      if ((one.kind === 0) !== (aside === '') || one.bucket < from) continue;
      const key = `${halfHour(one.bucket)} ${one.agent} ${one.fields?.host ?? ''}`;
      const sum = expected.get(key) ?? { u: 0, d: 0 };
      expected.set(key, { u: sum.u + one.upload, d: sum.d + one.download });
    }
    const found = new Map(rows.map(({ b, agent, host, u, d }) => [`${b} ${agent} ${host}`, { u, d }]));
    expect(found).toEqual(expected);
  }
}

/** The number of connections in all intervals with bounds on half hours, in both tiers, against the list. */
async function expectCounts(
  store: EmbeddedFactStore,
  model: Model,
  from: number,
  minutesFrom: number,
): Promise<void> {
  const read = async (table: string) =>
    (await rowsOf(store, `SELECT bucket, prev, conns FROM ${table} WHERE conns > 0`)).map((row) => ({
      bucket: Number(row.bucket),
      prev: Number(row.prev),
      conns: Number(row.conns),
    }));
  const tiers = { half_hour: await read(STITCHED()), minute: await read('minute') };
  const borders = [...new Set(model.facts.map((one) => halfHour(one.bucket)))].sort((a, b) => a - b);
  for (const begin of [Math.max(from, BEGIN - 30), ...borders].filter((border) => border >= from)) {
    for (const end of [...borders.map((border) => border + 30), BEGIN + 4 * SPAN]) {
      const inside = model.facts.filter((one) => one.kind === 0 && one.bucket >= begin && one.bucket < end);
      const expected = new Set(inside.map((one) => one.conn)).size;
      for (const tier of ['half_hour', 'minute'] as const) {
        if (tier === 'minute' && begin < minutesFrom) continue;
        const counted = tiers[tier]
          .filter(({ bucket, prev }) => bucket >= begin && bucket < end && prev < begin)
          .reduce((sum, { conns }) => sum + conns, 0);
        expect(counted, `${tier} ${begin} to ${end}`).toBe(expected);
      }
    }
  }
}

async function withStore(work: (store: EmbeddedFactStore) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tiers-'));
  const store = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 1 });
  try {
    await store.start();
    await work(store);
  } finally {
    await store.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

it(
  'I4: both tiers are the facts, whatever order lots, rollups, cuts and retention come in',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepOf(), { minLength: 4, maxLength: 24 }), (steps) =>
        withStore(async (store) => {
          const model = new Model();
          for (const one of steps) await perform(store, model, one);
          while ((await store.rollUp(20)).more);
          const { tiers } = await store.coverage();
          const from = tiers.half_hour.wholeFrom;
          const minutesFrom = tiers.minute.wholeFrom;
          await expectSums(store, model, from);
          await expectCounts(store, model, from, minutesFrom);
          await expectTiersToAgree(store, Math.max(from, minutesFrom));
          expect(await store.missing()).toEqual([]);
          // What is kept of minutes is to the byte what it was.
          const minutes = 'SELECT coalesce(sum(down), 0)::INTEGER AS d FROM minute';
          const kept = model.facts.filter((one) => one.kind === 0 && !one.dropped);
          expect(await rowsOf(store, minutes)).toEqual([
            { d: kept.reduce((sum, one) => sum + one.download, 0) },
          ]);
          await store.check();
        }),
      ),
      { numRuns: RUNS },
    );
  },
  TIMEOUT_MS,
);

it(
  'a cut below the floor misses exactly what it says, and nothing is in twice',
  async () => {
    let missed = 0;
    await fc.assert(
      fc.asyncProperty(belowTheFloor, fc.integer({ min: 30, max: 99 }), (steps, share) =>
        withStore(async (store) => {
          const model = new Model();
          for (const one of steps) await perform(store, model, one);
          const lot = Math.floor((model.floor * share) / 100);
          await store.cutAbove(lot);
          while ((await store.rollUp(20)).more);
          model.facts = model.facts.filter((one) => one.lot <= lot);
          const there = await rowsOf(
            store,
            'SELECT bucket, down FROM half_hour UNION ALL SELECT bucket, down FROM half_hour_aside',
          );
          const stored = there.map((row) => ({ bucket: Number(row.bucket), download: Number(row.down) }));
          const sum = (facts: readonly { download: number }[]) =>
            facts.reduce((all, one) => all + one.download, 0);
          const missing = await store.missing();
          missed += missing.length;
          expect(sum(stored) + sum(missing)).toBe(sum(model.facts));
          // Outside of what is said to be missing, everything is there.
          const outside = ({ bucket }: { bucket: number }) =>
            !missing.some(({ from, to }) => bucket >= from && bucket < to);
          expect(sum(stored.filter(outside))).toBe(sum(model.facts.filter(outside)));
        }),
      ),
      { numRuns: RUNS },
    );
    expect(missed).toBeGreaterThan(3);
  },
  TIMEOUT_MS,
);
