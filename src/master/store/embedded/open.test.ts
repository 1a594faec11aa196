import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { EmbeddedFactStore } from './embedded-fact-store.ts';
import { lastGoodOf } from './last-good.ts';
import { SCHEMA_VERSION } from './schema.ts';
import { useStoreDirectory } from './store-directory.test-support.ts';

const at = useStoreDirectory();

describe('opening', () => {
  it('says that there is no DuckDB for this platform', async () => {
    const load = () => Promise.reject(new Error('Cannot find module'));
    await expect(at.open({ load })).rejects.toMatchObject({
      code: 'duckdb_missing',
      message: expect.stringContaining(`${process.platform}-${process.arch}`),
    });
  });

  it('refuses a file that another process holds, and names it', async () => {
    const script = `
      import { DuckDBInstance } from '@duckdb/node-api';
      const instance = await DuckDBInstance.create(process.argv[1]);
      console.log('open');
      setInterval(() => instance, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, at.path], {
      cwd: process.cwd(),
    });
    try {
      await once(child.stdout, 'data');
      await expect(at.open()).rejects.toMatchObject({
        code: 'file_in_use',
        message: expect.stringContaining(`PID ${child.pid}`),
      });
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  it('refuses a file that this process holds already, and keeps the lock', async () => {
    await at.open();
    await expect(at.open()).rejects.toMatchObject({ code: 'file_in_use' });
    const script = `
      import { DuckDBInstance } from '@duckdb/node-api';
      await DuckDBInstance.create(process.argv[1]).then(() => console.log('opened'), () => console.log('locked'));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, at.path], {
      cwd: process.cwd(),
    });
    const [output] = await once(child.stdout, 'data');
    expect(String(output).trim()).toBe('locked');
  });

  it('leaves a file of a newer schema untouched', async () => {
    await (await at.filled(10)).stop();
    const instance = await DuckDBInstance.create(at.path);
    const connection = await instance.connect();
    await connection.run(`UPDATE meta SET value = '${SCHEMA_VERSION + 1}' WHERE key = 'schema_version'`);
    connection.closeSync();
    instance.closeSync();
    const before = readFileSync(at.path);
    await expect(at.open()).rejects.toMatchObject({ code: 'file_newer' });
    expect(readFileSync(at.path).equals(before)).toBe(true);
  });

  it('leaves DuckDB and SQLite files of other programs untouched', async () => {
    const instance = await DuckDBInstance.create(at.path);
    const connection = await instance.connect();
    await connection.run('CREATE TABLE t AS SELECT 1 AS a');
    connection.closeSync();
    instance.closeSync();
    const before = readFileSync(at.path);
    await expect(at.open()).rejects.toMatchObject({ code: 'file_foreign' });
    expect(readFileSync(at.path).equals(before)).toBe(true);
    const sqlite = join(at.directory, 'master.db');
    const database = new Database(sqlite);
    database.exec('CREATE TABLE t (a)');
    database.close();
    await expect(at.open({ path: sqlite })).rejects.toMatchObject({ code: 'file_foreign' });
  });

  it('takes a file that was created and never written as new', async () => {
    writeFileSync(at.path, '');
    const first = await at.open();
    await first.stop();
    rmSync(at.path);
    const instance = await DuckDBInstance.create(at.path);
    instance.closeSync();
    expect(await (await at.open()).lots(1)).toEqual([]);
  });

  it('names what is wrong with a path', async () => {
    await expect(at.open({ path: join(at.directory, 'no', 'f.duckdb') })).rejects.toMatchObject({
      code: 'file_unusable',
    });
  });

  it.each([
    ['its header is overwritten', (file: string) => overwrite(file, 0, 4096)],
    ['it is garbage', (file: string) => writeFileSync(file, 'no facts here '.repeat(2000))],
    ['it is cut inside its headers', (file: string) => truncateSync(file, 5000)],
  ])('calls a file damaged when %s and there is no copy', async (_, damage) => {
    await (await at.filled()).stop();
    rmSync(lastGoodOf(at.path));
    damage(at.path);
    await expect(at.open()).rejects.toMatchObject({ code: 'file_damaged' });
  });

  it('finds damage in the middle by reading everything', async () => {
    const store = await at.filled(20_000);
    await store.check();
    await store.stop();
    const copy = join(at.directory, 'copy.duckdb');
    let found = 0;
    const size = readFileSync(at.path).length;
    for (let offset = 12_288; offset < size; offset += 262_144) {
      copyFileSync(at.path, copy);
      overwrite(copy, offset + 1000, 500);
      const damaged = new EmbeddedFactStore({ path: copy, threads: 1 });
      const outcome = await damaged
        .start()
        .then(() => damaged.check())
        .then(
          () => 'fine',
          (error: { code?: string }) => error.code,
        );
      await damaged.stop();
      // A free block may be overwritten unnoticed; anything else must be called by its name.
      expect(['fine', 'file_damaged']).toContain(outcome);
      if (outcome === 'file_damaged') found++;
    }
    expect(found).toBeGreaterThan(0);
  });

  it('applies migrations in order, each once', async () => {
    await (await at.filled(5)).stop();
    const migrations = [
      { to: SCHEMA_VERSION + 1, statements: ["ALTER TABLE minute ADD COLUMN extra VARCHAR DEFAULT ''"] },
    ];
    for (const _ of [1, 2]) {
      const store = await at.open({ migrations });
      const version = { text: "SELECT value FROM meta WHERE key = 'schema_version'", values: [] };
      expect(await store.read((run) => run(version))).toEqual([{ value: String(SCHEMA_VERSION + 1) }]);
      await store.stop();
    }
  });
});

function overwrite(file: string, at: number, length: number): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, Buffer.alloc(length, 0x5a), 0, length, at);
  closeSync(fd);
}
