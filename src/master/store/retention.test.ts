import { describe, expect, it } from 'vitest';
import { useStoreDirectory } from './embedded/store-directory.test-support.ts';
import { fact, lotOf } from './facts.test-support.ts';
import { mergeOldMonths, type RetentionPolicy, retainByAge, retainBySize } from './retention.ts';
import type { FactStore } from './store.ts';
import { expectTiersToAgree, rowsOf } from './tiers.test-support.ts';

const at = useStoreDirectory();

const DAY_MS = 86_400_000;
const DAY = 1440;
/** Day 0 of these tests: the begin of a day, a month and a year. */
const BEGIN_MS = Date.UTC(2026, 0, 1);
const BEGIN = BEGIN_MS / 60_000;
const POLICY: RetentionPolicy = { days: { minute: 14, half_hour: 30 }, budget: null };

const day = (number: number): number => BEGIN_MS + number * DAY_MS;

/** A lot of the day, appended and rolled up on it: `count` connections by the minute, the second half late by `late` days. */
async function liveDay(store: FactStore, number: number, { count = 4, late = 0 } = {}): Promise<void> {
  const facts = Array.from({ length: count }, (_, index) =>
    fact({
      conn: number * 100_000 + index + 1,
      bucket: BEGIN + number * DAY + (index % DAY) - (index >= count / 2 ? late * DAY : 0),
      download: 1 + ((index * 7919) % 1_000_000),
      upload: number,
      fields: { host: `h${index % 3}.example.com` },
    }),
  );
  const chunks = Array.from({ length: Math.ceil(count / 1000) }, (_, i) =>
    facts.slice(i * 1000, i * 1000 + 1000),
  );
  await store.append(lotOf(number + 1, facts), chunks);
  await store.rollUp(1_000_000);
}

/** Days with facts, counted from day 0, of a tier. */
async function daysOf(store: FactStore, table: 'minute' | 'half_hour'): Promise<number[]> {
  const rows = await rowsOf(
    store,
    `SELECT DISTINCT (bucket - ${BEGIN}) // ${DAY} AS day FROM ${table} ORDER BY 1`,
  );
  return rows.map((row) => Number(row.day));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('by age', () => {
  it('keeps whole days, minutes for so many, then half hours for so many', async () => {
    let now = day(0);
    const store = await at.open({ now: () => now });
    for (let number = 0; number < 40; number++) {
      now = day(number) + DAY_MS / 2;
      await liveDay(store, number);
    }
    now = day(40);
    expect(await retainByAge(store, POLICY, now)).toEqual({ minute: 26 * 4, half_hour: expect.any(Number) });
    expect(await daysOf(store, 'minute')).toEqual(range(26, 40));
    expect(await daysOf(store, 'half_hour')).toEqual(range(10, 40));
    const { tiers } = await store.coverage();
    expect(tiers.minute.wholeFrom).toBe(BEGIN + 26 * DAY);
    expect(tiers.half_hour.wholeFrom).toBe(BEGIN + 10 * DAY);
    await expectTiersToAgree(store, BEGIN + 26 * DAY);
    // Later on the same day there is nothing more to drop.
    expect(await retainByAge(store, POLICY, now + DAY_MS - 1)).toEqual({ minute: 0, half_hour: 0 });
  });

  it('leaves what came late in the last week, however old its minutes are', async () => {
    let now = day(0);
    const store = await at.open({ now: () => now });
    for (const number of [0, 20, 24]) {
      now = day(number);
      await liveDay(store, number, number === 24 ? { late: 23 } : {});
    }
    now = day(30);
    await retainByAge(store, POLICY, now);
    expect(await daysOf(store, 'minute')).toEqual([1, 20, 24]);
    now = day(31) + 1;
    await retainByAge(store, POLICY, now);
    expect(await daysOf(store, 'minute')).toEqual([20, 24]);
  });

  it('can keep everything for ever', async () => {
    let now = day(0);
    const store = await at.open({ now: () => now });
    await liveDay(store, 0);
    now = day(9000);
    const forever = { days: { minute: 0, half_hour: 0 }, budget: null };
    expect(await retainByAge(store, forever, now)).toEqual({ minute: 0, half_hour: 0 });
    expect((await store.coverage()).tiers.minute).toMatchObject({ rows: 4, wholeFrom: 0 });
  });

  it('a records store restored within the week loses nothing', async () => {
    let now = day(0);
    const store = await at.open({ now: () => now });
    for (let number = 0; number < 30; number++) {
      now = day(number);
      await liveDay(store, number, { late: 16 });
      await retainByAge(store, POLICY, now);
    }
    const whole = await rowsOf(
      store,
      'SELECT bucket, sum(down) AS d FROM half_hour WHERE lot <= 24 GROUP BY 1 ORDER BY 1',
    );
    expect(await store.cutAbove(24)).toMatchObject({ exact: true });
    await store.rollUp(1_000_000);
    expect(await rowsOf(store, 'SELECT bucket, sum(down) AS d FROM half_hour GROUP BY 1 ORDER BY 1')).toEqual(
      whole,
    );
    expect(await store.missing()).toEqual([]);
  });
});

describe('by size', () => {
  it('drops the oldest minutes down to two days, then the oldest half hours', async () => {
    const store = await at.open({ now: () => day(6) });
    for (let number = 0; number < 6; number++) await liveDay(store, number, { count: 62_000 });
    await store.reclaim();
    const used = await store.usedBytes();
    expect(await retainBySize(store, used, day(6))).toEqual({ minute: 0, half_hour: 0, over: false });

    // A question that runs keeps the space of what is dropped: no more may go for it than could have shown.
    const budget = used - 1_000_000;
    await store.read(async (run) => {
      await run({ text: 'SELECT count(*) FROM minute', values: [] });
      await retainBySize(store, budget, day(6));
    });
    expect(await daysOf(store, 'half_hour')).toEqual(range(0, 6));
    expect(await retainBySize(store, budget, day(6))).toMatchObject({ half_hour: 0, over: false });
    const kept = await daysOf(store, 'minute');
    expect(kept.length).toBeLessThan(6);
    expect(kept).toEqual(range(6 - kept.length, 6));
    expect(await daysOf(store, 'half_hour')).toEqual(range(0, 6));
    expect((await store.coverage()).tiers.minute.wholeFrom).toBe(BEGIN + (6 - kept.length) * DAY);
    expect(await store.usedBytes()).toBeLessThanOrEqual(budget);

    // What no budget can have: the newest days stay, and it is said.
    await retainBySize(store, 1, day(6));
    expect(await retainBySize(store, 1, day(6))).toMatchObject({ minute: 0, over: true });
    expect(await daysOf(store, 'minute')).toEqual([4, 5]);
    expect(await daysOf(store, 'half_hour')).toEqual([4, 5]);
    await expectTiersToAgree(store, BEGIN + 4 * DAY);
  });

  it('waits for the next rollup where the oldest day came after the last one', async () => {
    const store = await at.open({ now: () => day(8) });
    for (let number = 0; number < 6; number++) await liveDay(store, number);
    const late = [fact({ conn: 9, bucket: BEGIN - 5 * DAY })];
    await store.append(lotOf(7, late), [late]);
    await store.reclaim();
    expect(await retainBySize(store, 1, day(8))).toEqual({ minute: 0, half_hour: 0, over: true });
    await store.rollUp(1000);
    expect((await retainBySize(store, 1, day(8))).minute).toBe(25);
  });
});

describe('fragments', () => {
  it('are merged when their month is a week old', async () => {
    let now = day(0);
    const store = await at.open({ now: () => now });
    for (let number = 0; number < 36; number++) {
      now = day(number) + 1000;
      await liveDay(store, number, { count: 40, late: number % 3 === 0 ? 0 : 1 });
    }
    const sums =
      'SELECT bucket, host, sum(down) AS d, sum(conns) AS n FROM half_hour GROUP BY ALL ORDER BY ALL';
    const before = await rowsOf(store, sums);
    now = day(37);
    expect(await mergeOldMonths(store, now)).toBe(0);
    // 8 February and later: January, but of lots rolled up a week ago.
    now = day(38) + 2000;
    const saved = await mergeOldMonths(store, now);
    expect(saved).toBeGreaterThan(30);
    expect(await mergeOldMonths(store, now)).toBe(0);
    expect(await rowsOf(store, sums)).toEqual(before);
    await expectTiersToAgree(store);
  });

  it('end between two steps when asked to', async () => {
    let now = day(0);
    const store = await at.open({ now: () => now });
    for (let number = 0; number < 4; number++) await liveDay(store, number, { late: 0 });
    now = day(60);
    let steps = 0;
    await mergeOldMonths(store, now, () => steps++ < 2);
    expect(steps).toBe(3);
    const progress = "SELECT value FROM meta WHERE key = 'fragments_to'";
    expect(await rowsOf(store, progress)).toEqual([{ value: String(BEGIN + DAY + DAY / 4) }]);
  });
});
