import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fact, lotOf } from '../facts.test-support.ts';
import type { EmbeddedFactStore } from './embedded-fact-store.ts';
import { lastGoodOf } from './last-good.ts';
import { useStoreDirectory } from './store-directory.test-support.ts';

const at = useStoreDirectory();

async function append(store: EmbeddedFactStore, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) {
    const rows = Array.from({ length: 300 }, (_, i) =>
      fact({ conn: number * 1000 + i, download: i, fields: { host: `h${number * i}.example.com` } }),
    );
    await store.append(lotOf(number, rows), [rows]);
  }
}

async function fiveLots(): Promise<void> {
  const store = await at.open({ lotsPerCheckpoint: 2 });
  await append(store, 1, 5);
  await store.stop();
}

/** As a write that a SIGKILL cut short leaves it: bytes that do not fit the checksum, in the first block. */
function damage(path: string): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(64, 0x5a), 0, 64, 12_288 + 256);
  closeSync(fd);
}

it('goes on from the last good copy when the file is damaged, and takes the missing lots again', async () => {
  await fiveLots();
  damage(at.path);
  const reasons: string[] = [];
  const store = await at.open({ onRecovered: (reason) => reasons.push(reason) });
  expect(reasons.join()).toMatch(/checksum|corrupt/i);
  expect(existsSync(`${at.path}.damaged`)).toBe(true);
  const kept = (await store.lots(10)).map(({ lot }) => lot);
  expect(kept).toEqual([4, 3, 2, 1]);
  await append(store, 1, 6);
  await store.check();
  expect((await store.lots(10)).map(({ lot }) => lot)).toEqual([6, 5, 4, 3, 2, 1]);
  const sums = { text: 'SELECT count(*) AS facts, count(DISTINCT conn) AS conns FROM minute', values: [] };
  expect(await store.read((run) => run(sums))).toEqual([{ facts: 1800n, conns: 1800n }]);
});

it('says that the file is damaged when there is no copy, and leaves it as it is', async () => {
  await fiveLots();
  damage(at.path);
  rmSync(lastGoodOf(at.path));
  const before = readFileSync(at.path);
  await expect(at.open()).rejects.toMatchObject({ code: 'file_damaged' });
  expect(readFileSync(at.path).equals(before)).toBe(true);
});
