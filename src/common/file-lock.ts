import { closeSync, existsSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { CodedError } from './errors.ts';

/** Where SQLite keeps `user_version` in a file's header: big-endian, 4 bytes. The holder's process id stands there. */
const USER_VERSION_OFFSET = 60;

/**
 * Held by this very process. Never open such a lock a second time: closing any descriptor of a file drops all of
 * the process's POSIX locks on it.
 */
const held = new Set<string>();

/**
 * Keeps a second process from a store file for as long as this one lives, however it ends: the lock is one of the
 * operating system's, held through SQLite on a small file beside the store (`x.db` → `x.db.lock`).
 */
export class FileLock {
  readonly #path: string;
  #db: Database.Database | null;

  private constructor(path: string, db: Database.Database) {
    this.#path = path;
    this.#db = db;
  }

  /** Throws `file_in_use`, naming the process that holds the file, or `file_unusable`. */
  static take(store: string, kind: string): FileLock {
    const directory = dirname(resolve(store));
    if (!existsSync(directory)) {
      throw new CodedError('file_unusable', `the directory of the ${kind} ${store} does not exist`);
    }
    const path = join(realpathSync(directory), `${basename(store)}.lock`);
    if (held.has(path))
      throw new CodedError('file_in_use', `the ${kind} ${store} is in use by this process already`);
    let db: Database.Database | undefined;
    try {
      db = new Database(path, { timeout: 0 });
      db.pragma('journal_mode = DELETE');
      db.pragma('synchronous = OFF');
      db.pragma(`user_version = ${process.pid}`);
      db.exec('BEGIN EXCLUSIVE');
      held.add(path);
      return new FileLock(path, db);
    } catch (error) {
      db?.close();
      if (String((error as { code?: string }).code).startsWith('SQLITE_BUSY')) {
        throw new CodedError('file_in_use', `the ${kind} ${store} is in use by process ${holderOf(path)}`, {
          cause: error,
        });
      }
      throw new CodedError('file_unusable', `cannot lock the ${kind} ${store}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  release(): void {
    if (this.#db === null) return;
    this.#db.close();
    this.#db = null;
    held.delete(this.#path);
  }
}

function holderOf(path: string): string {
  try {
    const fd = openSync(path, 'r');
    const bytes = Buffer.alloc(4);
    readSync(fd, bytes, 0, 4, USER_VERSION_OFFSET);
    closeSync(fd);
    return String(bytes.readUInt32BE());
  } catch {
    return 'unknown';
  }
}
