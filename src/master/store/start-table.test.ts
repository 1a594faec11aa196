import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../common/logger.ts';
import type { EmbeddedFactStore } from './embedded/embedded-fact-store.ts';
import { useStoreDirectory } from './embedded/store-directory.test-support.ts';
import { fact, MemoryLots, tokenOf, unattributed } from './facts.test-support.ts';
import { LotFlusher } from './flusher.ts';
import { Maintenance } from './maintenance.ts';
import type { Fact } from './store.ts';
import { expectTiersToAgree, rowsOf } from './tiers.test-support.ts';

/*
 * What is done at every start, with both tiers: a facts file that is as the records know it, behind them, ahead of them,
 * of another lineage, of other records, damaged.
 */

const at = useStoreDirectory();
const NOON = 29_000_010;

let source: MemoryLots;
beforeEach(() => {
  source = new MemoryLots();
});

/** A connection and unattributed bytes in a half hour of its own; every other lot has a late one, too. */
function factsOf(number: number, download = 1000 * number): Fact[] {
  const late = number % 2 === 0 ? [fact({ conn: 100 + number, bucket: NOON, download: number })] : [];
  return [
    fact({ conn: number, bucket: NOON + 30 * number, download }),
    ...late,
    unattributed('home', NOON + 30 * number, number),
  ];
}

/** A master that starts, flushes, keeps its facts in order, and stops. */
async function runMaster<T>(
  look: (store: EmbeddedFactStore, maintenance: Maintenance) => Promise<T>,
): Promise<T> {
  const store = await at.open({ threads: 1 });
  const maintenance = new Maintenance({
    facts: store,
    retention: { days: { minute: 0, half_hour: 0 }, budget: null },
    log: silentLogger(),
  });
  const flusher = new LotFlusher({
    source,
    facts: store,
    log: silentLogger(),
    onLoss: () => maintenance.lost(),
  });
  try {
    await flusher.start();
    await maintenance.start();
    expect(await flusher.drain()).toBe(true);
    await maintenance.run();
    await maintenance.run();
    return await look(store, maintenance);
  } finally {
    await maintenance.stop();
    await flusher.stop();
    await store.stop();
  }
}

/** Bytes of all kinds of facts, by tier; throws when the tiers do not say the same. */
async function sums(store: EmbeddedFactStore): Promise<number> {
  await expectTiersToAgree(store);
  const text =
    'SELECT coalesce(sum(down), 0)::INTEGER AS d FROM (FROM half_hour UNION ALL BY NAME FROM half_hour_aside)';
  return Number((await rowsOf(store, text))[0]?.d);
}

const expected = (lots: readonly { facts: Fact[] }[]): number =>
  lots.flatMap(({ facts }) => facts).reduce((sum, one) => sum + one.download, 0);

function add(from: number, to: number, token?: (number: number) => string): void {
  for (let number = from; number <= to; number++) source.add(factsOf(number), token?.(number));
}

function copyTo(name: string): string {
  const copy = join(at.directory, name);
  copyFileSync(at.path, copy);
  return copy;
}

function putBack(copy: string): void {
  for (const ending of ['.wal', '.last']) rmSync(at.path + ending, { force: true });
  copyFileSync(copy, at.path);
}

it('normal: goes on', async () => {
  add(1, 3);
  await runMaster(sums);
  add(4, 5);
  expect(await runMaster(sums)).toBe(expected(source.entries));
});

it('behind, and all is kept: flushes again', async () => {
  add(1, 3);
  await runMaster(sums);
  const older = copyTo('older');
  add(4, 6);
  await runMaster(sums);
  putBack(older);
  expect(await runMaster(sums)).toBe(expected(source.entries));
});

it('behind what is kept: says what is missing, until a better file is put back', async () => {
  add(1, 2);
  await runMaster(sums);
  const older = copyTo('older');
  add(3, 4);
  await runMaster(sums);
  const better = copyTo('better');
  add(5, 6);
  await runMaster(sums);
  putBack(older);
  for (const { lot } of source.entries.slice(0, 4)) lot.kept = false;
  await runMaster(async (store, maintenance) => {
    const [gone, rest] = [
      source.entries.slice(2, 4),
      [...source.entries.slice(0, 2), ...source.entries.slice(4)],
    ];
    expect(await sums(store)).toBe(expected(rest));
    expect(maintenance.state.missing).toEqual([
      {
        reason: 'not-kept',
        firstLot: 3,
        lastLot: 4,
        from: NOON,
        to: NOON + 121,
        download: expected(gone),
        upload: 0,
      },
    ]);
  });
  putBack(better);
  await runMaster(async (store, maintenance) => {
    expect(await sums(store)).toBe(expected(source.entries));
    expect(maintenance.state.missing).toEqual([]);
  });
});

it('ahead: cuts half hours too, and rolls up again from the last watermark', async () => {
  add(1, 6);
  await runMaster(sums);
  source.entries.splice(3);
  source.add(factsOf(9), tokenOf(4, 'b'));
  await runMaster(async (store, maintenance) => {
    expect(await sums(store)).toBe(expected(source.entries));
    expect(maintenance.state).toMatchObject({ missing: [], coverage: { watermark: 4 } });
  });
});

it('of another lineage: keeps what both know', async () => {
  add(1, 2);
  await runMaster(sums);
  add(3, 5);
  await runMaster(sums);
  source.entries.splice(2);
  add(3, 7, (number) => tokenOf(number, 'c'));
  expect(await runMaster(sums)).toBe(expected(source.entries));
});

it('of other records: refused, and left as it is', async () => {
  add(1, 2);
  await runMaster(sums);
  const before = readFileSync(at.path);
  source = new MemoryLots();
  source.id = 'records-2';
  add(1, 2);
  await expect(runMaster(sums)).rejects.toMatchObject({ code: 'file_foreign' });
  expect(readFileSync(at.path).equals(before)).toBe(true);
});

it('damaged: goes on from the last good copy, in both tiers', async () => {
  add(1, 3);
  await runMaster(sums);
  add(4, 6);
  await runMaster(sums);
  const bytes = readFileSync(at.path);
  writeFileSync(at.path, bytes.fill(0x5a, 12_288, bytes.length));
  expect(await runMaster(sums)).toBe(expected(source.entries));
});
