import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../../../test/support/command.ts';
import type { FactsSummary } from '../fact-files.ts';
import { fact, lotOf, tokenOf, unattributed } from '../facts.test-support.ts';
import type { Fact } from '../store.ts';
import type { EmbeddedFactStore } from './embedded-fact-store.ts';
import { EMBEDDED_FACT_FILES } from './fact-files.ts';
import { lastGoodOf } from './last-good.ts';
import { useStoreDirectory } from './store-directory.test-support.ts';

const stores = useStoreDirectory();
const QUIET = { signal: new AbortController().signal, report: () => {} };
const { copy, inspect, ownerOf, compact } = EMBEDDED_FACT_FILES;

const factsOf = (lot: number, count = 500): Fact[] => [
  ...Array.from({ length: count }, (_, index) =>
    fact({
      conn: lot * 10_000 + index,
      bucket: 29_000_000 + lot,
      download: lot * index,
      upload: index,
      fields: { host: `h${lot}-${index}.example.com`, destination_ip: `10.0.${lot}.${index % 250}` },
    }),
  ),
  unattributed('home', 29_000_000 + lot, lot),
];

async function fill(store: EmbeddedFactStore, from: number, to: number): Promise<void> {
  for (let lot = from; lot <= to; lot++) {
    const facts = factsOf(lot);
    await store.append(lotOf(lot, facts), [facts]);
  }
}

/** What is in a file, apart from how its bytes lie. */
function contentOf({ bytes: _, sha256: __, ...content }: FactsSummary) {
  return content;
}

const path = (name: string) => join(stores.directory, name);

describe('a snapshot of a store in use', () => {
  it('holds all that was there, and neither readers nor the lock are disturbed', async () => {
    const store = await stores.open();
    await store.adopt('records-1');
    await fill(store, 1, 3);
    const reading = store.read(async (run) => {
      await run({ text: 'SELECT count(*) FROM minute', values: [] });
      const { covered } = await store.snapshot(path('copy'), QUIET.signal);
      expect(covered).toBe(true);
      return await run({ text: 'SELECT count(*) AS n FROM minute', values: [] });
    });
    const writing = fill(store, 4, 5);
    expect(Number((await reading)[0]?.n)).toBeGreaterThan(0);
    await writing;
    expect(await inspect(path('copy'), QUIET)).toMatchObject({
      storeId: 'records-1',
      newest: { token: expect.any(String) },
    });
    const other = await runCommand(['-e', OPEN, stores.path], { binary: process.execPath });
    expect(other.stdout).toContain('Could not set lock');
    expect((await store.lots(10)).map(({ lot }) => lot)).toEqual([5, 4, 3, 2, 1]);
  });

  it('covers: what it holds comes back when the file is damaged, though the records have forgotten it', async () => {
    const store = await stores.open();
    await fill(store, 1, 3);
    expect(await store.snapshot(path('copy'), QUIET.signal)).toEqual({ covered: true });
    await fill(store, 4, 4);
    await store.stop();
    // The stop kept the state before its own checkpoint: that of the snapshot.
    const bytes = readFileSync(stores.path);
    bytes.fill(0xaa, 4096, 12_288);
    writeFileSync(stores.path, bytes);
    const again = await stores.open();
    expect((await again.lots(10)).map(({ lot }) => lot)).toEqual([3, 2, 1]);
  });

  it('does not cover where no second copy can be kept', async () => {
    const store = await stores.open();
    await fill(store, 1, 2);
    await store.snapshot(path('first'), QUIET.signal);
    await fill(store, 3, 3);
    // A directory in the place of the copy.
    rmSync(lastGoodOf(stores.path), { force: true });
    mkdirSync(join(lastGoodOf(stores.path), 'in-the-way'), { recursive: true });
    expect(await store.snapshot(path('copy'), QUIET.signal)).toEqual({ covered: false });
    // Without a copy of the file no log is written into it: the newest lot is not in this one.
    expect(await inspect(path('copy'), QUIET)).toMatchObject({ newest: { lot: 2 } });
  });

  it('ends when it is called off, and the store goes on', async () => {
    const store = await stores.open();
    await fill(store, 1, 1);
    const told = new AbortController();
    const made = store.snapshot(path('copy'), told.signal);
    told.abort(new Error('enough'));
    await expect(made).rejects.toThrow('enough');
    await fill(store, 2, 2);
    expect(await store.lots(10)).toHaveLength(2);
  });

  it('says that it cannot be written', async () => {
    const store = await stores.open();
    const made = store.snapshot(path('nowhere/copy'), QUIET.signal);
    await expect(made).rejects.toMatchObject({ code: 'file_unusable' });
  });
});

/** Another process tries to have the file. */
const OPEN = `
import('${import.meta.resolve('@duckdb/node-api')}').then(({ DuckDBInstance }) =>
  DuckDBInstance.create(process.argv[1])).then(() => console.log('opened'), (error) => console.log(error.message));`;

describe('a file of facts at rest', () => {
  it('is copied with its log, and stays as it is', async () => {
    const store = await stores.open();
    await store.adopt('records-1');
    await fill(store, 1, 3);
    // As after a crash: the file and its log.
    for (const ending of ['', '.wal']) copyFileSync(stores.path + ending, path(`crashed${ending}`));
    await store.stop();
    const before = readFileSync(path('crashed'));
    await copy(path('crashed'), path('copy'), QUIET);
    expect(existsSync(path('copy.wal'))).toBe(false);
    expect(readFileSync(path('crashed')).equals(before)).toBe(true);
    expect(contentOf(await inspect(path('copy'), QUIET))).toEqual(
      contentOf(await inspect(stores.path, QUIET)),
    );
    expect(await ownerOf(path('copy'), QUIET)).toBe('records-1');
  });

  it('is never copied over another', async () => {
    await (await stores.filled(10)).stop();
    writeFileSync(path('copy'), 'mine');
    await expect(copy(stores.path, path('copy'), QUIET)).rejects.toMatchObject({ code: 'file_unusable' });
    expect(readFileSync(path('copy'), 'utf8')).toBe('mine');
  });

  it('belongs to nobody until a records store has joined it', async () => {
    await (await stores.filled(10)).stop();
    expect(await ownerOf(stores.path, QUIET)).toBeNull();
  });

  it.each([
    ['nothing', null, 'file_unusable'],
    ['garbage', Buffer.alloc(20_000, 'x'), 'file_damaged'],
  ])('is refused when it is %s', async (_name, bytes, code) => {
    if (bytes !== null) writeFileSync(path('other'), bytes);
    await expect(inspect(path('other'), QUIET)).rejects.toMatchObject({ code });
    expect(existsSync(path('other'))).toBe(bytes !== null);
  });

  it('is refused when it is of something else', async () => {
    const instance = await DuckDBInstance.create(path('other'));
    const connection = await instance.connect();
    await connection.run('CREATE TABLE mine (x INTEGER)');
    connection.closeSync();
    instance.closeSync();
    await expect(inspect(path('other'), QUIET)).rejects.toMatchObject({ code: 'file_foreign' });
  });
});

describe('compaction', () => {
  it('gives back space and unused names, keeps every fact and their order', async () => {
    const store = await stores.open();
    await store.adopt('records-1');
    await fill(store, 1, 60);
    await store.stop();
    await prune(
      // Enough for whole row groups to go.
      'INSERT INTO minute SELECT minute.* REPLACE (hash(conn, r) % 1000000 AS down) FROM minute, range(20) AS t (r)',
      'DELETE FROM minute WHERE bucket < 29000050',
      'DELETE FROM minute_aside WHERE bucket < 29000050',
    );
    const before = await inspect(stores.path, QUIET);
    const done = await compact(stores.path, path('fresh'), QUIET);
    expect(done.before).toBe(before.bytes);
    expect(done.after).toBe(statSync(path('fresh')).size);
    expect(done.after).toBeLessThan(done.before / 2);
    expect(done.dropped).toEqual({ host: 49 * 500, ip: 49 * 250, rule: 0, chain: 0 });
    expect(contentOf(await inspect(path('fresh'), QUIET))).toEqual(contentOf(before));
    const order = 'SELECT string_agg(conn::VARCHAR) AS t FROM (SELECT conn FROM minute)';
    expect(await ask(path('fresh'), order)).toEqual(await ask(stores.path, order));
    const named = `SELECT host, sum(f.down)::VARCHAR AS d FROM minute f JOIN host h ON h.id = f.host GROUP BY 1 ORDER BY 1`;
    expect(await ask(path('fresh'), named.replace('host,', 'h.host,'))).toEqual(
      await ask(stores.path, named.replace('host,', 'h.host,')),
    );
    expect(readdirSync(stores.directory).filter((name) => name.startsWith('fresh'))).toEqual(['fresh']);
  });

  it('makes a store that goes on: lots are known, new names find a place', async () => {
    const store = await stores.open();
    await fill(store, 1, 4);
    await store.stop();
    await prune('DELETE FROM minute WHERE lot < 4', 'DELETE FROM minute_aside WHERE lot < 4');
    await compact(stores.path, path('fresh'), QUIET);
    const fresh = await stores.open({ path: path('fresh') });
    expect(await fresh.lots(10)).toContainEqual({ lot: 2, token: tokenOf(2), state: 'ok' });
    const facts = factsOf(2);
    expect(await fresh.append(lotOf(2, facts), [facts])).toBe(false);
    await fill(fresh, 5, 5);
    const hosts = await fresh.read((run) =>
      run({
        text: 'SELECT count(*) AS n, count(DISTINCT id) AS ids, count(DISTINCT host) AS names FROM host',
        values: [],
      }),
    );
    expect(hosts).toEqual([{ n: 1001n, ids: 1001n, names: 1001n }]);
  });

  it('joins the log of a crash, and leaves the file as it was when it is called off', async () => {
    const store = await stores.open();
    await fill(store, 1, 3);
    for (const ending of ['', '.wal']) copyFileSync(stores.path + ending, path(`crashed${ending}`));
    await store.stop();
    const told = new AbortController();
    const report = () => told.abort(new Error('enough'));
    await expect(compact(path('crashed'), path('fresh'), { signal: told.signal, report })).rejects.toThrow(
      'enough',
    );
    await compact(path('crashed'), path('fresh-2'), QUIET);
    const all = contentOf(await inspect(stores.path, QUIET));
    expect(contentOf(await inspect(path('crashed'), QUIET))).toEqual(all);
    expect(contentOf(await inspect(path('fresh-2'), QUIET))).toEqual(all);
  });

  it('refuses a file that cannot be read whole', async () => {
    await (await stores.filled(100_000)).stop();
    const bytes = readFileSync(stores.path);
    for (let at = 700_000; at < bytes.length - 300_000; at += 50_000) bytes.fill(0xaa, at, at + 64);
    writeFileSync(path('broken'), bytes);
    await expect(compact(path('broken'), path('fresh'), QUIET)).rejects.toMatchObject({
      code: 'file_damaged',
    });
  });
});

/** Retention, by hand. */
async function prune(...statements: string[]): Promise<void> {
  const instance = await DuckDBInstance.create(stores.path);
  const connection = await instance.connect();
  for (const statement of [...statements, 'CHECKPOINT']) await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
}

async function ask(file: string, sql: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(sql)).getRows();
  connection.closeSync();
  instance.closeSync();
  return rows;
}
