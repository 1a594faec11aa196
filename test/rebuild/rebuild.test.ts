import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { FileLock } from '../../src/common/file-lock.ts';
import { rebuildFromRecords } from '../../src/master/rebuild/rebuild-facts.ts';
import { EMBEDDED_FACTS } from '../../src/master/store/embedded/facts-engine.ts';
import type { SqlRow } from '../../src/master/store/store.ts';
import { rowsOf } from '../../src/master/store/tiers.test-support.ts';
import { TestDirectory } from '../support/directory.ts';
import { MINUTE, SPAN, Stores, TASK } from './stores.ts';

const directory = new TestDirectory();
afterAll(() => directory.remove());

const BEGUN = [
  { start: 0, base: 0 },
  { start: 10, base: 500 },
];

/** Two connections in two lots, of which the first is no longer kept, and unattributed bytes in each. */
let stores: Stores;
beforeEach(async () => {
  stores = new Stores(directory.path);
  stores.deliver(BEGUN, [
    { conn: 0, minute: 5, down: 100, up: 10 },
    { conn: 1, minute: 100, down: 3000, up: 300 },
  ]);
  await stores.flush(async () => {});
  stores.forget();
  stores.deliver(BEGUN, [{ conn: 1, minute: 200, down: 4000, up: 300 }]);
  await stores.flush(async () => {});
  return () => stores.merger.close();
});

const HALF_HOURS = `SELECT host.host AS host, bucket - ${MINUTE} AS minute, recovered, down::INTEGER AS down
  FROM half_hour JOIN host ON host.id = half_hour.host ORDER BY ALL`;

function damage(path: string): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x5a, 4096, bytes.length));
  rmSync(`${path}.last`, { force: true });
}

it('makes half hours of a start, an end and a total, and takes lots that are kept as they are', async () => {
  damage(stores.path);
  const rebuilt = await stores.rebuild(false);
  expect(rebuilt).toMatchObject({ lots: 1, download: 3100n, upload: 310n, keptAs: `${stores.path}.damaged` });
  await stores.flush(async (store) => {
    expect(await rowsOf(store, HALF_HOURS)).toEqual([
      { host: 'c0', minute: 0, recovered: true, down: 100 },
      { host: 'c1', minute: 0, recovered: true, down: expect.any(Number) },
      { host: 'c1', minute: 30, recovered: true, down: expect.any(Number) },
      { host: 'c1', minute: 60, recovered: true, down: expect.any(Number) },
      { host: 'c1', minute: 90, recovered: true, down: expect.any(Number) },
      { host: 'c1', minute: 180, recovered: false, down: 1000 },
    ]);
    // Of 10,000 that the core counted, connections had 3100: what cannot be made again is said.
    expect(await store.missing()).toEqual([
      {
        reason: 'rebuilt',
        firstLot: 1,
        lastLot: 1,
        from: MINUTE + 5,
        to: MINUTE + 101,
        download: 6900,
        upload: 9690,
      },
    ]);
    const { tiers, watermark } = await store.coverage();
    expect(watermark).toBe(2);
    expect(tiers.minute).toMatchObject({ first: MINUTE + 200, wholeFrom: MINUTE + 101 });
    expect(tiers.half_hour.wholeFrom).toBe(0);
    await store.check();
  });
});

it('never replaces a file that can be read unless it is told to, and keeps every old one', async () => {
  await expect(stores.rebuild(false)).rejects.toMatchObject({ code: 'facts_readable' });
  const minutes = (): Promise<SqlRow[]> =>
    stores.flush((store) => rowsOf(store, 'SELECT * FROM minute ORDER BY ALL'));
  const before = await minutes();
  expect(await stores.rebuild(true)).toMatchObject({ keptAs: `${stores.path}.before-rebuild` });
  expect(await minutes()).not.toEqual(before);
  expect(await stores.rebuild(true)).toMatchObject({ keptAs: `${stores.path}.before-rebuild-2` });
  // Put back, nothing is missing any more.
  for (const ending of ['.wal', '.last']) rmSync(stores.path + ending, { force: true });
  renameSync(`${stores.path}.before-rebuild`, stores.path);
  expect(await minutes()).toEqual(before);
  await stores.flush(async (store) => expect(await store.missing()).toEqual([]));
});

it('goes on with a last good copy where there is one', async () => {
  const bytes = readFileSync(stores.path);
  writeFileSync(stores.path, bytes.fill(0x5a, 4096, bytes.length));
  await expect(stores.rebuild(false)).rejects.toMatchObject({ code: 'facts_readable' });
  await stores.flush(async (store) => expect((await store.coverage()).tiers.minute.rows).toBeGreaterThan(0));
});

it('makes a file where there is none', async () => {
  for (const ending of ['', '.wal', '.last']) rmSync(stores.path + ending, { force: true });
  expect(await stores.rebuild(false)).toMatchObject({ lots: 1, keptAs: null });
  await stores.flush(async (store) => expect(await rowsOf(store, HALF_HOURS)).toHaveLength(6));
});

it('leaves everything as it was when it is interrupted, or a master runs', async () => {
  damage(stores.path);
  const before = readFileSync(stores.path);
  const files = () =>
    readdirSync(dirname(stores.path)).filter((name) => name.startsWith(`${basename(stores.path)}.rebuild`));
  const told = new AbortController();
  const task = {
    signal: told.signal,
    report: ({ step }: { step: string }) => step.startsWith('making') && told.abort(),
  };
  await expect(stores.rebuild(false, task)).rejects.toThrow(/abort/i);
  expect(readFileSync(stores.path).equals(before)).toBe(true);
  expect(files()).toEqual([]);
  const lock = FileLock.take(stores.database, 'records database');
  await expect(stores.rebuild(false)).rejects.toMatchObject({ code: 'file_in_use' });
  lock.release();
  expect(readFileSync(stores.path).equals(before)).toBe(true);
});

it('says what is wrong with paths', async () => {
  const options = { facts: stores.path, engine: EMBEDDED_FACTS, force: true };
  const missing = rebuildFromRecords({ ...options, records: directory.file('none.db') }, TASK);
  await expect(missing).rejects.toMatchObject({ code: 'file_missing' });
  stores.merger.close();
  copyFileSync(stores.database, stores.path);
  const foreign = rebuildFromRecords({ ...options, records: stores.database }, TASK);
  await expect(foreign).rejects.toMatchObject({ code: 'file_foreign' });
  expect(existsSync(`${stores.path}.before-rebuild`)).toBe(false);
});

it('is cut as a whole when older records are put back, and said to be missing then', async () => {
  const older = directory.file('older.db');
  stores.merger.db.exec(`VACUUM INTO '${older}'`);
  stores.deliver(BEGUN, [{ conn: 0, minute: SPAN, down: 900, up: 10 }]);
  await stores.flush(async () => {});
  stores.forget();
  await stores.rebuild(true);
  await stores.flush(async (store) =>
    expect((await store.missing()).map(({ reason }) => reason)).toEqual(['rebuilt']),
  );
  stores.putBack(older);
  await stores.flush(async (store) => {
    const rows = await rowsOf(store, 'SELECT coalesce(sum(down), 0)::INTEGER AS d FROM half_hour');
    // The lot that is still kept is flushed again; nothing of the rebuilt half hours may be in twice.
    expect(Number(rows[0]?.d)).toBeLessThanOrEqual(4100);
    expect((await store.missing()).length).toBeGreaterThan(0);
  });
});
