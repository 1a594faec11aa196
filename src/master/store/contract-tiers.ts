import { beforeEach, describe, expect, it } from 'vitest';
import { inChunks, type StoreUnderTest, some, sumsOf, useStore } from './contract.test-support.ts';
import { fact, lotOf, unattributed } from './facts.test-support.ts';
import type { Fact, FactStore } from './store.ts';
import { expectTiersToAgree, rowsOf } from './tiers.test-support.ts';

/** A begin of a half hour. */
const NOON = 29_000_010;

const HALF_HOUR_SUMS = `SELECT bucket, host, sum(up) AS u, sum(down) AS d, sum(conns) AS n
  FROM half_hour GROUP BY ALL ORDER BY ALL`;

async function inOrder(from: number, to: number, work: (number: number) => Promise<unknown>): Promise<void> {
  for (let number = from; number <= to; number++) await work(number);
}

/** What every fact store must hold of its two tiers, of what is dropped and merged, and of what is missing then. */
export function describeTiers(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`tiers of the fact store: ${name}`, () => {
    const current = useStore(open);
    let store: FactStore;
    beforeEach(() => {
      store = current.store;
    });

    it('rolls up lot by lot, late facts among them, so that both tiers agree', async () => {
      const lots = [
        [fact({ conn: 1, bucket: NOON, download: 1 }), unattributed('home', NOON + 1, -5)],
        // A connection that goes on in its half hour, in the next, and one that comes late to the first.
        [
          fact({ conn: 1, bucket: NOON + 29, prev: NOON, download: 2 }),
          fact({ conn: 1, bucket: NOON + 31, prev: NOON + 29, download: 4 }),
          fact({ conn: 2, bucket: NOON + 3, download: 8 }),
        ],
        [
          fact({ conn: 3, kind: 1, bucket: NOON + 95, download: 16 }),
          fact({ conn: 1, bucket: NOON + 95, prev: NOON + 31, download: 32 }),
          fact({ conn: 1, bucket: NOON + 95, prev: NOON + 31, download: 64, conns: 0, recovered: true }),
        ],
      ];
      for (const [index, facts] of lots.entries()) {
        await store.append(lotOf(index + 1, facts), [facts]);
        expect(await store.rollUp(1)).toMatchObject({ watermark: index + 1, more: false });
        await expectTiersToAgree(store);
      }
      expect(await store.rollUp(1)).toEqual({ watermark: 3, rows: 0, more: false });
      expect(await sumsOf(store, 'half_hour')).toEqual({ facts: 5, down: 111, up: 0, conns: 4 });
    });

    it('rolls up in steps of so many facts, at least a lot at a time, gaps included', async () => {
      for (const number of [1, 2, 3]) await store.append(lotOf(number, some(10)), [some(10)]);
      await store.recordGap([lotOf(4, some(500))]);
      await store.append(lotOf(5, some(10)), [some(10)]);
      expect(await store.rollUp(20)).toMatchObject({ watermark: 2, more: true });
      expect(await store.rollUp(5)).toMatchObject({ watermark: 3, more: true });
      expect(await store.rollUp(10)).toMatchObject({ watermark: 5, more: false });
      await expectTiersToAgree(store);
    });

    it('refuses a lot that the coarse tier would never see', async () => {
      await store.append(lotOf(2, some(3)), [some(3)]);
      await store.rollUp(1000);
      await expect(store.append(lotOf(1, some(3)), [some(3)])).rejects.toThrow(/rollup/);
      expect(await store.append(lotOf(2, some(3)), [some(3)])).toBe(false);
    });

    it('cuts to any lot between rollups to the byte: rollups at 10, 20, 30, cut to 24', async () => {
      const facts = (number: number): Fact[] =>
        Array.from({ length: 6 }, (_, index) =>
          fact({
            conn: number * 10 + index,
            // Every third lot brings facts of three hours before.
            bucket: NOON + number * 7 + index - (number % 3 === 0 ? 180 : 0),
            download: number * 1000 + index,
            fields: { host: `h${(number + index) % 5}.example.com` },
          }),
        );
      const append = (from: number, to: number) =>
        inOrder(from, to, (number) => store.append(lotOf(number, facts(number)), [facts(number)]));
      for (const upto of [10, 20, 30]) {
        await append(upto - 9, upto);
        await store.rollUp(1_000_000);
      }
      expect(await store.cutAbove(24)).toEqual({ removed: 36, exact: true });
      expect((await store.coverage()).watermark).toBe(20);
      await store.rollUp(1_000_000);
      expect((await store.coverage()).watermark).toBe(24);
      await expectTiersToAgree(store);
      const cut = await rowsOf(store, HALF_HOUR_SUMS);
      // The same as a store that never had more.
      await store.cutAbove(0);
      await append(1, 24);
      await store.rollUp(1_000_000);
      expect(await rowsOf(store, HALF_HOUR_SUMS)).toEqual(cut);
    });

    it('drops of a tier what is old and came with old lots, and says so', async () => {
      const old = [fact({ conn: 1, bucket: NOON, download: 1 }), unattributed('home', NOON + 1, 2)];
      const young = [fact({ conn: 2, bucket: NOON + 1440, download: 4 })];
      const late = [fact({ conn: 3, bucket: NOON + 2, download: 8 })];
      for (const [index, facts] of [old, young, late].entries()) {
        await store.append(lotOf(index + 1, facts), [facts]);
        if (index === 1) await store.rollUp(1000);
      }
      await expect(store.dropBefore('minute', NOON + 1440, 3)).rejects.toThrow(/rolled up/);
      expect(await store.dropBefore('minute', NOON, 2)).toBe(0);
      expect((await store.coverage()).tiers.minute.wholeFrom).toBe(0);
      expect(await store.dropBefore('minute', NOON + 1440, 2)).toBe(2);
      expect(await store.dropBefore('minute', NOON + 1440, 2)).toBe(0);
      expect(await sumsOf(store, 'minute')).toMatchObject({ facts: 2, down: 12 });
      expect(await sumsOf(store, 'minute_aside')).toMatchObject({ facts: 0 });
      expect(await sumsOf(store, 'half_hour')).toMatchObject({ down: 5 });
      const { tiers } = await store.coverage();
      expect([tiers.minute.wholeFrom, tiers.half_hour.wholeFrom]).toEqual([NOON + 1440, 0]);
      // What came late is rolled up as ever, and half hours go by the same rule.
      await store.rollUp(1000);
      expect(await sumsOf(store, 'half_hour')).toMatchObject({ down: 13 });
      expect(await store.dropBefore('half_hour', NOON + 30, 2)).toBe(2);
      expect(await sumsOf(store, 'half_hour')).toMatchObject({ down: 12 });
    });

    it('merges fragments of late facts, oldest first, and changes no sum and no count', async () => {
      const day = Math.floor(NOON / 1440) * 1440;
      const facts = (number: number): Fact[] =>
        Array.from({ length: 20 }, (_, index) =>
          fact({
            conn: number * 100 + index,
            bucket: day + 1440 * (number % 2) + index,
            download: number,
            fields: { host: `h${index % 4}.example.com` },
          }),
        );
      for (let number = 1; number <= 8; number++) {
        await store.append(lotOf(number, facts(number)), [facts(number)]);
        await store.rollUp(1000);
      }
      const before = await rowsOf(store, HALF_HOUR_SUMS);
      expect(await sumsOf(store, 'half_hour')).toMatchObject({ facts: 32 });
      await expect(store.mergeFragments(day + 2880, 9)).rejects.toThrow(/rolled up/);
      // Lots 2, 4 and 6 of the first day become one; lot 8 is too young. Then the second day, and no third.
      expect(await store.mergeFragments(day + 2880, 7)).toEqual({ saved: 8, more: true });
      expect(await store.mergeFragments(day + 2880, 7)).toEqual({ saved: 12, more: true });
      expect(await store.mergeFragments(day + 2880, 7)).toEqual({ saved: 0, more: false });
      expect(await rowsOf(store, HALF_HOUR_SUMS)).toEqual(before);
      await expectTiersToAgree(store);
      // Merged rows stand under their youngest lot.
      expect(await rowsOf(store, 'SELECT DISTINCT lot FROM half_hour ORDER BY 1')).toEqual([
        { lot: 6 },
        { lot: 7 },
        { lot: 8 },
      ]);
    });

    it('gives the space of dropped facts free', async () => {
      const facts = Array.from({ length: 60_000 }, (_, index) =>
        fact({
          conn: index + 1,
          bucket: NOON,
          download: (index * 2_654_435_761) % 2 ** 40,
          upload: index * 7919,
        }),
      );
      await store.append(lotOf(1, facts), inChunks(facts));
      await store.rollUp(100_000);
      expect(await store.reclaim()).toBe(true);
      const used = await store.usedBytes();
      await store.dropBefore('minute', NOON + 1440, 1);
      expect(await store.reclaim()).toBe(true);
      expect(await store.usedBytes()).toBeLessThan(used - 500_000);
    });

    it('knows the newest lot that was rolled up at an instant', async () => {
      await store.append(lotOf(1, some(1)), [some(1)]);
      await store.append(lotOf(2, some(1)), [some(1)]);
      const before = Date.now();
      expect(await store.watermarkAt(before)).toBe(0);
      await store.rollUp(1);
      expect(await store.watermarkAt(before - 1)).toBe(0);
      expect(await store.watermarkAt(Date.now())).toBe(1);
    });

    it('tells what a cut below the floor takes for good, in which half hours, to the byte', async () => {
      const facts = (number: number): Fact[] => [
        fact({ conn: number, bucket: NOON + 30 * number, download: 10 ** number, upload: 1 }),
        fact({ conn: number + 100, bucket: NOON + 1440 * number, download: 1 }),
      ];
      for (const number of [1, 2, 3, 4]) await store.append(lotOf(number, facts(number)), [facts(number)]);
      await store.rollUp(1000);
      await store.append(lotOf(5, facts(5)), [facts(5)]);
      await store.rollUp(1000);
      await store.dropBefore('minute', NOON + 90, 4);
      // Half hours of lots 1 to 4 are one rollup's: those of 1 and 2 go, and their dropped minutes cannot bring them back.
      expect(await store.cutAbove(2)).toEqual({ removed: 6, exact: false });
      const hole = { reason: 'rolled-off', firstLot: 1, lastLot: 2, download: 110, upload: 2 };
      expect(await store.missing()).toEqual([{ ...hole, from: NOON + 30, to: NOON + 90 }]);
      await store.rollUp(1000);
      expect(await sumsOf(store, 'half_hour')).toMatchObject({ down: 2 });
      // Told until a better file is put back; a cut below all of it removes it with its lots.
      store = await current.reopen();
      expect(await store.cutAbove(2)).toEqual({ removed: 0, exact: true });
      expect(await store.missing()).toHaveLength(1);
      await store.cutAbove(0);
      expect(await store.missing()).toEqual([]);
    });

    it('tells nothing missing of a time that is kept no longer', async () => {
      const gone = [fact({ conn: 1, bucket: NOON, download: 5 })];
      const kept = [fact({ conn: 2, bucket: NOON + 30, download: 7 })];
      await store.recordGap([lotOf(1, gone)]);
      await store.append(lotOf(2, gone), [gone]);
      await store.recordGap([lotOf(3, kept)]);
      await store.rollUp(1000);
      expect((await store.missing()).map(({ download }) => download)).toEqual([5, 7]);
      await store.dropBefore('half_hour', NOON + 30, 3);
      expect((await store.missing()).map(({ download }) => download)).toEqual([7]);
    });

    it('finds nothing missing after a cut below the floor that touches no remaining lot', async () => {
      const facts = (number: number) => [fact({ conn: number, bucket: NOON + 1440 * number, download: 1 })];
      for (const number of [1, 2, 3]) {
        await store.append(lotOf(number, facts(number)), [facts(number)]);
        await store.rollUp(1000);
      }
      await store.dropBefore('minute', NOON + 2000, 3);
      expect(await store.cutAbove(2)).toEqual({ removed: 1, exact: false });
      expect(await store.missing()).toEqual([]);
      expect(await sumsOf(store, 'half_hour')).toMatchObject({ down: 2 });
    });

    it('says what each tier covers, and up to which lot they agree', async () => {
      const none = { first: null, last: null, rows: 0, wholeFrom: 0 };
      expect(await store.coverage()).toEqual({ watermark: 0, tiers: { minute: none, half_hour: none } });
      const facts = [fact({ bucket: NOON + 7 }), unattributed('home', NOON + 65, 9)];
      await store.append(lotOf(1, facts), [facts]);
      await store.rollUp(1000);
      expect(await store.coverage()).toEqual({
        watermark: 1,
        tiers: {
          minute: { first: NOON + 7, last: NOON + 65, rows: 2, wholeFrom: 0 },
          half_hour: { first: NOON, last: NOON + 60, rows: 2, wholeFrom: 0 },
        },
      });
    });
  });
}
