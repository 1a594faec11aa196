import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestDirectory } from '../../test/support/directory.ts';
import { originalRow, writeOriginal } from '../../test/support/original-database.ts';
import { JOURNAL_FILE } from '../agent/journal/schema.ts';
import { inspectStore } from './inspect-store.ts';
import { openStore } from './sqlite.ts';

let directory: TestDirectory;
let path: string;
beforeEach(() => {
  directory = new TestDirectory();
  path = directory.file('agent.db');
});
afterEach(() => directory.remove());

/** Everything that a look could have changed. */
function traces(): unknown {
  return readdirSync(directory.path)
    .sort()
    .map((name) => {
      const file = join(directory.path, name);
      return [name, statSync(file).mtimeMs, readFileSync(file).toString('base64')];
    });
}

/** Looks, and holds that nothing remains of it; returns the code of what was thrown. */
function inspect(): string | null {
  const before = traces();
  let code: string | null = null;
  try {
    inspectStore(path, JOURNAL_FILE);
  } catch (error) {
    code = (error as { code?: string }).code ?? String(error);
  }
  expect(traces()).toEqual(before);
  return code;
}

describe('a look at a store leaves no trace', () => {
  test('where there is no file yet, in a directory that can be written to', () => {
    expect(inspect()).toBeNull();
  });

  test('where the file was closed in order, so that no log stands beside it', () => {
    openStore(path, JOURNAL_FILE).close();
    expect(readdirSync(directory.path)).toEqual(['agent.db']);
    expect(inspect()).toBeNull();
  });

  test('where another process has it open, and where one died with it', () => {
    const db = openStore(path, JOURNAL_FILE);
    db.exec("INSERT INTO meta VALUES ('a', 'b')");
    expect(inspect()).toBeNull();
    // What a death leaves: the file and its log, and no index of the log.
    const left = directory.file('left.db');
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, left + suffix);
    db.close();
    path = left;
    expect(inspect()).toBeNull();
  });

  test('of an original file, with its own rollback journal or turned to a log by its owner', () => {
    writeOriginal(path, [originalRow('c-1')]);
    expect(inspect()).toBeNull();
    const db = new Database(path);
    db.pragma('journal_mode = WAL');
    db.close();
    expect(inspect()).toBeNull();
  });

  test('of a file that is refused', () => {
    openStore(path, JOURNAL_FILE).close();
    const db = new Database(path);
    db.pragma('user_version = 99');
    db.close();
    expect(inspect()).toBe('file_newer');
    path = directory.file('other.db');
    const other = new Database(path);
    other.pragma('journal_mode = WAL');
    other.exec('CREATE TABLE somebodys (a)');
    other.close();
    expect(inspect()).toBe('file_foreign');
    path = directory.file('text.db');
    writeFileSync(path, 'dear diary');
    expect(inspect()).toBe('file_foreign');
  });
});

test('a directory that cannot be written to is said, whether the file exists or not', () => {
  // Of all users, root included: nothing can be made in there.
  path = process.platform === 'linux' ? '/proc/agent.db' : join(directory.path, 'missing', 'agent.db');
  expect(() => inspectStore(path, JOURNAL_FILE)).toThrow(/directory of the journal/);
});
