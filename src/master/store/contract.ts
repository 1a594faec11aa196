import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fact, lotOf, tokenOf, unattributed } from './facts.test-support.ts';
import type { Fact, FactStore } from './store.ts';
import { expectTiersToAgree, rowsOf } from './tiers.test-support.ts';

/** How the suite comes by stores of one engine; `fresh` gives an empty one, `reopen` the same again. */
export interface StoreUnderTest {
  /** A new, empty store, started. */
  fresh(): Promise<FactStore>;
  /** Stops the store and opens the same data anew. */
  reopen(store: FactStore): Promise<FactStore>;
  dispose(): Promise<void>;
}

interface Sums {
  facts: number;
  down: number;
  up: number;
  conns: number;
}

async function sumsOf(
  store: FactStore,
  table: 'minute' | 'minute_aside' | 'half_hour' | 'half_hour_aside',
): Promise<Sums> {
  const text = `SELECT count(*) AS facts, sum(down) AS d, sum(up) AS u, sum(conns) AS n FROM ${table}`;
  const rows = await store.read((run) => run({ text, values: [] }));
  const row = rows[0] ?? {};
  return { facts: Number(row.facts), down: Number(row.d), up: Number(row.u), conns: Number(row.n) };
}

/** A begin of a half hour. */
const NOON = 29_000_010;

const HALF_HOUR_SUMS = `SELECT bucket, host, sum(up) AS u, sum(down) AS d, sum(conns) AS n
  FROM half_hour GROUP BY ALL ORDER BY ALL`;

async function inOrder(from: number, to: number, work: (number: number) => Promise<unknown>): Promise<void> {
  for (let number = from; number <= to; number++) await work(number);
}

function* inChunks(facts: Fact[], size = 1000): Generator<Fact[]> {
  for (let at = 0; at < facts.length; at += size) yield facts.slice(at, at + size);
}

const some = (count: number, from = 1): Fact[] =>
  Array.from({ length: count }, (_, index) =>
    fact({
      conn: from + index,
      bucket: 29_000_000 + (index % 7),
      download: 10 + index,
      upload: 1,
      fields: { host: `h${index % 50}.example.com`, rule: 'Match', destination_ip: `10.0.0.${index % 200}` },
    }),
  );

/** What every fact store must hold, whatever keeps it. */
export function describeFactStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`fact store: ${name}`, () => {
    let subject: StoreUnderTest;
    let store: FactStore;
    beforeEach(async () => {
      subject = await open();
      store = await subject.fresh();
    });
    afterEach(async () => {
      await store.stop();
      await subject.dispose();
    });

    it('begins empty', async () => {
      expect(await store.lots(10)).toEqual([]);
      expect(await sumsOf(store, 'minute')).toEqual({ facts: 0, down: 0, up: 0, conns: 0 });
    });

    it('keeps every byte and every connection of a lot', async () => {
      const facts = some(2500);
      expect(await store.append(lotOf(1, facts), inChunks(facts))).toBe(true);
      const down = facts.reduce((sum, one) => sum + one.download, 0);
      expect(await sumsOf(store, 'minute')).toEqual({ facts: 2500, down, up: 2500, conns: 2500 });
      expect(await store.lots(10)).toEqual([{ lot: 1, token: tokenOf(1), state: 'ok' }]);
    });

    it('takes a lot once, however often it is given', async () => {
      const facts = some(10);
      await store.append(lotOf(1, facts), [facts]);
      expect(await store.append(lotOf(1, facts), [facts])).toBe(false);
      store = await subject.reopen(store);
      expect(await store.append(lotOf(1, facts), [facts])).toBe(false);
      expect((await sumsOf(store, 'minute')).facts).toBe(10);
    });

    it('refuses another lot under a number that is taken', async () => {
      const facts = some(3);
      await store.append(lotOf(1, facts), [facts]);
      await expect(store.append(lotOf(1, facts, tokenOf(1, 'b')), [facts])).rejects.toThrow(/token/);
      expect((await sumsOf(store, 'minute')).facts).toBe(3);
    });

    it('keeps nothing of a lot whose rows end early or fail to arrive', async () => {
      const facts = some(20);
      await expect(store.append(lotOf(1, facts), [facts.slice(0, 19)])).rejects.toThrow(/19 were given/);
      const broken = (async function* () {
        yield facts.slice(0, 10);
        throw new Error('the source broke');
      })();
      await expect(store.append(lotOf(1, facts), broken)).rejects.toThrow('the source broke');
      expect(await store.lots(10)).toEqual([]);
      expect((await sumsOf(store, 'minute')).facts).toBe(0);
      expect(await store.append(lotOf(1, facts), [facts])).toBe(true);
    });

    it('keeps overlay and unattributed bytes apart, negative ones too', async () => {
      const facts = [
        fact({ conn: 1, download: 100 }),
        fact({ conn: 2, kind: 1, download: 1000 }),
        unattributed('home', 29_000_000, -5, 3),
        unattributed('home', 29_000_000, 7, 0),
      ];
      await store.append(lotOf(1, facts), [facts]);
      expect(await sumsOf(store, 'minute')).toMatchObject({ facts: 1, down: 100 });
      expect(await sumsOf(store, 'minute_aside')).toMatchObject({ down: 1002, up: 3, conns: 1 });
    });

    it('makes one row of facts that differ in their bytes alone', async () => {
      const again = { conn: 1, prev: 29_000_000, conns: 0 as const, download: 5 };
      const facts = [
        fact({ conn: 1, download: 1 }),
        fact(again),
        fact(again),
        fact({ ...again, recovered: true }),
      ];
      await store.append(lotOf(1, facts), [facts]);
      expect(await sumsOf(store, 'minute')).toEqual({ facts: 3, down: 16, up: 0, conns: 1 });
    });

    it('takes text of any kind without mixing values up', async () => {
      const hosts = [
        '',
        "o'hara; DROP TABLE minute",
        'a\u0000b',
        'a\ud800',
        'a\ufffd',
        '日本.jp',
        '😀',
        ' ',
        'A',
        'a',
      ];
      const facts = hosts.map((host, index) => fact({ conn: index + 1, download: 1, fields: { host } }));
      await store.append(lotOf(1, facts), [facts]);
      await store.append(lotOf(2, facts), [facts]);
      expect(await sumsOf(store, 'minute')).toMatchObject({ down: 20, conns: 20 });
    });

    it('lists lots newest first, in pages', async () => {
      for (const number of [1, 2, 3, 4]) await store.append(lotOf(number, some(1)), [some(1)]);
      expect((await store.lots(2)).map((lot) => lot.lot)).toEqual([4, 3]);
      expect((await store.lots(2, 3)).map((lot) => lot.lot)).toEqual([2, 1]);
    });

    it('cuts every trace of lots above a number, and may then be given them anew', async () => {
      const withAside = [...some(5), unattributed('home', 29_000_001, 9)];
      for (const number of [1, 2, 3]) await store.append(lotOf(number, withAside), [withAside]);
      expect(await store.cutAbove(1)).toEqual({ removed: 12, exact: true });
      expect(await store.cutAbove(1)).toEqual({ removed: 0, exact: true });
      expect((await store.lots(10)).map((lot) => lot.lot)).toEqual([1]);
      expect((await sumsOf(store, 'minute')).facts).toBe(5);
      expect((await sumsOf(store, 'minute_aside')).facts).toBe(1);
      expect(await store.append(lotOf(2, withAside, tokenOf(2, 'b')), [withAside])).toBe(true);
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

    it('merges fragments of late facts, day by day, and changes no sum and no count', async () => {
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
      store = await subject.reopen(store);
      expect(await store.cutAbove(2)).toEqual({ removed: 0, exact: true });
      expect(await store.missing()).toHaveLength(1);
      await store.cutAbove(0);
      expect(await store.missing()).toEqual([]);
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

    it('records lots as missing for good', async () => {
      const lots = [lotOf(1, some(3)), lotOf(2, some(3))];
      await store.recordGap(lots);
      await store.recordGap(lots);
      expect((await store.lots(10)).map((lot) => lot.state)).toEqual(['gap', 'gap']);
      expect(await store.append(lotOf(2, some(3)), [some(3)])).toBe(false);
      await expect(store.recordGap([lotOf(1, some(3), tokenOf(1, 'b'))])).rejects.toThrow(/token/);
      expect((await sumsOf(store, 'minute')).facts).toBe(0);
    });

    it('tells lots that are missing for good, those in a row as one', async () => {
      expect(await store.missing()).toEqual([]);
      const facts = (number: number) => [fact({ bucket: NOON + number, download: number, upload: 1 })];
      await store.recordGap([1, 2].map((number) => lotOf(number, facts(number))));
      await store.append(lotOf(3, facts(3)), [facts(3)]);
      await store.recordGap([lotOf(4, facts(4))]);
      await store.rollUp(1000);
      const gap = { reason: 'not-kept' };
      expect(await store.missing()).toEqual([
        { ...gap, firstLot: 1, lastLot: 2, from: NOON + 1, to: NOON + 3, download: 3, upload: 2 },
        { ...gap, firstLot: 4, lastLot: 4, from: NOON + 4, to: NOON + 5, download: 4, upload: 1 },
      ]);
      await store.cutAbove(3);
      expect(await store.missing()).toHaveLength(1);
    });

    it('belongs to one records store, for good', async () => {
      await store.adopt('one');
      await store.adopt('one');
      store = await subject.reopen(store);
      await store.adopt('one');
      await expect(store.adopt('two')).rejects.toMatchObject({ code: 'file_foreign' });
    });

    it('keeps what it has over a restart', async () => {
      const facts = some(100);
      await store.append(lotOf(1, facts), [facts]);
      const before = await sumsOf(store, 'minute');
      store = await subject.reopen(store);
      expect(await sumsOf(store, 'minute')).toEqual(before);
    });

    it('reads every column, and remembers when it found all readable', async () => {
      await store.append(lotOf(1, some(100)), [some(100)]);
      expect(await store.checkedAt()).toBe(0);
      await expect(store.check(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
      expect(await store.checkedAt()).toBe(0);
      const begun = Date.now();
      await store.check();
      store = await subject.reopen(store);
      expect(await store.checkedAt()).toBeGreaterThanOrEqual(begun);
    });

    it('writes in the order of the calls', async () => {
      const facts = some(50);
      const done = await Promise.all([1, 2, 3].map((number) => store.append(lotOf(number, facts), [facts])));
      expect(done).toEqual([true, true, true]);
      expect((await store.lots(9)).map((lot) => lot.lot)).toEqual([3, 2, 1]);
    });

    it('shows one state to all statements of a question, and lets none write', async () => {
      const facts = some(10);
      await store.append(lotOf(1, facts), [facts]);
      const count = { text: 'SELECT count(*) AS n FROM minute', values: [] };
      const [before, after] = await store.read(async (run) => {
        const first = await run(count);
        await store.append(lotOf(2, facts), [facts]);
        return [first[0]?.n, (await run(count))[0]?.n];
      });
      expect(after).toBe(before);
      expect((await sumsOf(store, 'minute')).facts).toBe(20);
      const write = { text: 'DELETE FROM minute', values: [] };
      await expect(store.read((run) => run(write))).rejects.toThrow();
      expect((await sumsOf(store, 'minute')).facts).toBe(20);
    });
  });
}
