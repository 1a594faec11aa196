import { beforeEach, describe, expect, it } from 'vitest';
import { inChunks, type StoreUnderTest, some, sumsOf, useStore } from './contract.test-support.ts';
import { describeTiers } from './contract-tiers.ts';
import { fact, lotOf, tokenOf, unattributed } from './facts.test-support.ts';
import type { FactStore } from './store.ts';

const NOON = 29_000_010;

/** What every fact store must hold, whatever keeps it. */
export function describeFactStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`fact store: ${name}`, () => {
    const current = useStore(open);
    let store: FactStore;
    beforeEach(() => {
      store = current.store;
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
      store = await current.reopen();
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
      store = await current.reopen();
      await store.adopt('one');
      await expect(store.adopt('two')).rejects.toMatchObject({ code: 'file_foreign' });
    });

    it('keeps what it has over a restart', async () => {
      const facts = some(100);
      await store.append(lotOf(1, facts), [facts]);
      const before = await sumsOf(store, 'minute');
      store = await current.reopen();
      expect(await sumsOf(store, 'minute')).toEqual(before);
    });

    it('reads every column, and remembers when it found all readable', async () => {
      await store.append(lotOf(1, some(100)), [some(100)]);
      expect(await store.checkedAt()).toBe(0);
      await expect(store.check(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
      expect(await store.checkedAt()).toBe(0);
      const begun = Date.now();
      await store.check();
      store = await current.reopen();
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
  describeTiers(name, open);
}
