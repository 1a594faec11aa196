import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/agent/journal/journal.ts';
import type { CodedError } from '../../src/common/errors.ts';
import { Merger } from '../../src/master/ingest/merger.ts';
import { v1Body, v1Record } from '../support/bodies.ts';
import { RunningCommand, runCommand, SOURCES } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { originalRow, writeOriginal } from '../support/original-database.ts';

let directory: TestDirectory;
let path: string;
beforeEach(() => {
  directory = new TestDirectory();
  path = directory.file('store.db');
});
afterEach(() => directory.remove());

const STORES = [
  ['--database', () => new Merger({ path, reserveLocal: false }).close()],
  ['--local-database', () => new Journal({ path }).close()],
] as const;

function failure(open: () => void): string {
  try {
    open();
  } catch (error) {
    return (error as CodedError).code;
  }
  return 'opened';
}

/** Everything in the directory: names, contents, times of change. */
function state(): string[] {
  return readdirSync(directory.path)
    .sort()
    .map((name) => {
      const file = directory.file(name);
      return `${name} ${createHash('sha256').update(readFileSync(file)).digest('hex')} ${statSync(file).mtimeMs}`;
    });
}

/** Opening must fail with that code and leave everything as it was, to the byte. */
function refuses(open: () => void, code: string): void {
  utimesSync(path, 1_000_000, 1_000_000);
  const before = state();
  expect(failure(open)).toBe(code);
  expect(state()).toEqual(before);
}

describe.each(STORES)('a file that is not for us as %s is refused and not touched', (_flag, open) => {
  it('one of a newer version of this program', () => {
    open();
    const db = new Database(path);
    db.pragma('user_version = 99');
    db.close();
    refuses(open, 'file_newer');
  });

  it('an SQLite file of something else', () => {
    const db = new Database(path);
    db.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)');
    db.close();
    refuses(open, 'file_foreign');
  });

  it('the file of the other kind, by its name', () => {
    const other = STORES.find(([flag]) => flag !== _flag)?.[1];
    other?.();
    const message =
      /is the (journal of an agent|records database of a master), not a (records database|journal)$/;
    expect(open).toThrow(message);
    refuses(open, 'file_foreign');
  });

  it('one whose table only has the same name', () => {
    const db = new Database(path);
    db.exec('CREATE TABLE connections (id INTEGER, peer TEXT); INSERT INTO connections VALUES (1, 2)');
    db.close();
    refuses(open, 'file_foreign');
  });

  it('no SQLite file at all', () => {
    writeFileSync(path, '{"connections": []}\n'.repeat(500));
    refuses(open, 'file_foreign');
  });

  it.each([100, 4096, 20_000])('one that was cut off after %d bytes', (bytes) => {
    open();
    truncateSync(path, bytes);
    refuses(open, 'file_damaged');
  });

  it('one of the original’s that was cut off', () => {
    writeOriginal(
      path,
      Array.from({ length: 500 }, (_, i) => originalRow(`c${i}`)),
    );
    truncateSync(path, 40_960);
    refuses(open, 'file_damaged');
  });

  it('one whose first page holds nonsense', () => {
    open();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 100, 4096);
    writeFileSync(path, bytes);
    refuses(open, 'file_damaged');
  });
});

describe('the two kinds of files are not mistaken for each other', () => {
  it('a journal is no records database, and the other way round', () => {
    new Journal({ path }).close();
    refuses(STORES[0][1], 'file_foreign');
    const other = directory.file('records.db');
    const merger = new Merger({ path: other, reserveLocal: false });
    merger.v1(v1Body('a', [v1Record('c', 1)]), null);
    merger.close();
    path = other;
    refuses(STORES[1][1], 'file_foreign');
  });
});

describe('two processes on one file', () => {
  it.each([
    ['master', ['--database', 'm.db', '--listen-host', '127.0.0.1', '--listen-port', '0'], 'master started'],
    [
      'agent',
      ['--local-database', 'a.db', '--mihomo-host', '127.0.0.1', '--mihomo-port', '1'],
      'agent started',
    ],
  ])('the second %s ends with 2 and names the first', async (role, args, started) => {
    const options = { program: SOURCES, cwd: directory.path };
    const first = new RunningCommand([role, ...args], options);
    try {
      await first.said(new RegExp(started));
      const second = await runCommand([role, ...args], options);
      expect(second.code).toBe(2);
      expect(second.stderr).toContain(`in use by process ${first.pid}`);
      expect(second.stderr).toContain('Stop the other process');
      expect(first.ended).toBeNull();
    } finally {
      expect(await first.stop()).toEqual({ code: 0, signal: null });
    }
    // And whoever comes afterwards gets in.
    const third = new RunningCommand([role, ...args], options);
    await third.said(new RegExp(started));
    await third.stop();
  });
});
