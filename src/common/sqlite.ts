import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { kindOfFile } from './application-ids.ts';
import { CodedError } from './errors.ts';

export type Sqlite = Database.Database;

/**
 * One step of a store's schema. `up` runs in a transaction together with the new version, so a step is done
 * wholly or not at all.
 */
export interface Migration {
  readonly version: number;
  up(db: Sqlite): void;
}

export interface StoreFile {
  /** `PRAGMA application_id`, so that a file of another kind is refused and never altered. */
  readonly applicationId: number;
  /** What it is called in messages: 'journal', 'records database'. */
  readonly kind: string;
  readonly migrations: readonly Migration[];
  /** Whether a file without our application id may be adopted (the original's database). */
  adopts(db: Sqlite): boolean;
  /** Called before an adopted file is altered for the first time. */
  beforeAdopt?(path: string): void;
}

/**
 * SQL of a sum that no values can make fail: `sum` ends in an error beyond 64 bits, and one poisoned row would stop
 * everything that sums. Exact below 2^53, and no further.
 */
export function safeSum(column: string): string {
  const most = Number.MAX_SAFE_INTEGER;
  return `CAST(max(-${most}, min(${most}, total(${column}))) AS INTEGER)`;
}

const SQLITE_HEADER = 'SQLite format 3\u0000';

/**
 * Opens a store file for its one writer: checks whose it is before anything is written, sets the durability that
 * the guarantees stand on, takes the lock for the life of the process, and migrates.
 *
 * - `journal_mode=WAL`: readers never block the writer (the original's rollback journal blocked both for 5 s).
 * - `synchronous=FULL`: an answer "ok" leaves only after its data survives a power loss; NORMAL would lose the
 *   newest commits under WAL.
 *
 * Throws `file_newer`, `file_foreign`, `file_damaged`, `file_in_use` or `file_unusable`, with the file untouched.
 */
export function openStore(path: string, file: StoreFile): Sqlite {
  if (path !== ':memory:') refuseNonDatabase(path, file.kind);
  let db: Sqlite;
  try {
    db = new Database(path, { timeout: 2000 });
  } catch (error) {
    throw new CodedError(
      'file_unusable',
      `cannot open the ${file.kind} ${path}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  try {
    const version = identify(db, path, file);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('busy_timeout = 5000');
    verifyPragmas(db, path);
    migrate(db, path, file, version);
    return db;
  } catch (error) {
    db.close();
    if (error instanceof CodedError) throw error;
    throw storeError(error, path, file.kind);
  }
}

const statements = new WeakMap<Sqlite, Map<string, Database.Statement>>();

/**
 * A statement that is compiled once for each open file. For text that is the same at every call; what is compiled
 * anew at every sync costs more than running it. Not for `iterate`, which keeps a statement busy.
 */
export function prepared(db: Sqlite, sql: string): Database.Statement {
  let known = statements.get(db);
  if (known === undefined) {
    known = new Map();
    statements.set(db, known);
  }
  let statement = known.get(sql);
  if (statement === undefined) {
    statement = db.prepare(sql);
    known.set(sql, statement);
  }
  return statement;
}

/**
 * Runs `work` in a transaction that may write from its beginning, which waits for another process that writes. One that
 * began by reading would fail where another commits before it writes itself.
 */
export function inTransaction<T>(db: Sqlite, work: () => T): T {
  return db.transaction(work).immediate();
}

/**
 * Opens a store that exists for a few small changes beside the process that owns it, which may be running: nothing is
 * made, adopted or migrated. Throws `file_missing`, `file_older` and what `openStore` throws.
 */
export function openBeside(path: string, file: StoreFile): Sqlite {
  refuseNonDatabase(path, file.kind);
  if (!existsSync(path)) throw new CodedError('file_missing', `there is no ${file.kind} ${path}`);
  let db: Sqlite | undefined;
  try {
    db = new Database(path, { fileMustExist: true, timeout: 5000 });
    const version = identify(db, path, { ...file, beforeAdopt: () => {} });
    if (version < (file.migrations.at(-1)?.version ?? 0)) {
      throw new CodedError('file_older', `the ${file.kind} ${path} has schema version ${version}`);
    }
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    return db;
  } catch (error) {
    db?.close();
    throw error instanceof CodedError ? error : storeError(error, path, file.kind);
  }
}

/** Opens the same file a second time, for reading only: nothing it runs can write. */
export function openReader(path: string): Sqlite {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 5000 });
  db.pragma('query_only = ON');
  return db;
}

/** Throws what can be said against a path before SQLite sees it. */
export function refuseNonDatabase(path: string, kind: string): void {
  if (!existsSync(path)) {
    if (!existsSync(dirname(resolve(path)))) {
      throw new CodedError('file_unusable', `the directory of the ${kind} ${path} does not exist`);
    }
    return;
  }
  const header = Buffer.alloc(16);
  let read = 0;
  try {
    const fd = openSync(path, 'r');
    read = readSync(fd, header, 0, 16, 0);
    closeSync(fd);
  } catch (error) {
    throw new CodedError('file_unusable', `cannot read the ${kind} ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (read > 0 && header.toString('latin1', 0, read) !== SQLITE_HEADER) {
    throw new CodedError('file_foreign', `${path} is not an SQLite file, so it cannot be the ${kind}`);
  }
}

/** The schema version that a file of this kind has, 0 for an empty one or one to adopt; throws for any other. */
export function identify(db: Sqlite, path: string, file: StoreFile): number {
  const id = db.pragma('application_id', { simple: true }) as number;
  const version = db.pragma('user_version', { simple: true }) as number;
  if (id === file.applicationId) {
    refuseNewer(version, path, file);
    return version;
  }
  const empty = db.prepare('SELECT count(*) AS n FROM sqlite_master').get() as { n: number };
  if (id === 0 && empty.n === 0) return 0;
  if (id === 0 && file.adopts(db)) {
    file.beforeAdopt?.(path);
    return 0;
  }
  throw new CodedError('file_foreign', `${path} is ${kindOfFile(id)}, not a ${file.kind}`);
}

export function refuseNewer(version: number, path: string, file: StoreFile): void {
  const newest = file.migrations.at(-1)?.version ?? 0;
  if (version <= newest) return;
  throw new CodedError(
    'file_newer',
    `the ${file.kind} ${path} has schema version ${version}; this program knows up to ${newest}`,
  );
}

function verifyPragmas(db: Sqlite, path: string): void {
  const mode = db.pragma('journal_mode', { simple: true });
  const synchronous = db.pragma('synchronous', { simple: true });
  if ((mode !== 'wal' && path !== ':memory:') || synchronous !== 2) {
    throw new CodedError(
      'file_unusable',
      `${path}: write-ahead logging with full synchronisation is not possible here (got ${String(mode)}, ${String(synchronous)}); network file systems are not supported`,
    );
  }
}

function migrate(db: Sqlite, path: string, file: StoreFile, from: number): void {
  for (const step of file.migrations) {
    if (step.version <= from) continue;
    db.transaction(() => {
      step.up(db);
      db.pragma(`application_id = ${file.applicationId}`);
      db.pragma(`user_version = ${step.version}`);
    })();
  }
  if (path !== ':memory:') db.pragma('wal_checkpoint(PASSIVE)');
}

/** A failure of SQLite in the words of the catalogue. */
export function storeError(error: unknown, path: string, kind: string): CodedError {
  const code = (error as { code?: string }).code ?? '';
  const message = (error as Error).message;
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new CodedError('file_in_use', `the ${kind} ${path} is in use by another process`, {
      cause: error,
    });
  }
  if (code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB')) {
    return new CodedError('file_damaged', `the ${kind} ${path} is damaged: ${message}`, { cause: error });
  }
  if (code === 'SQLITE_FULL') {
    return new CodedError('disk_full', `the disk is full: ${kind} ${path}`, { cause: error });
  }
  return new CodedError('file_unusable', `the ${kind} ${path} cannot be used: ${message}`, { cause: error });
}
