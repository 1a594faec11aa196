import { existsSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { serveChild } from '../../common/child-task.ts';
import { digestOf, syncFile } from '../../common/durable-files.ts';
import { CodedError } from '../../common/errors.ts';
import type { Report } from '../../common/progress.ts';
import {
  identify,
  openReader,
  refuseNonDatabase,
  type Sqlite,
  safeSum,
  storeError,
} from '../../common/sqlite.ts';
import { RECORDS_FILE } from '../ingest/schema.ts';
import { dropUnusedTexts } from '../layout/unused-texts.ts';
import type { CompactedRecords, RecordsSummary } from './records-files.ts';

/** Pages copied between two looks at the clock: 4 MiB. */
const PAGES = 1024;

const NEVER = new AbortController().signal;

/** What `records-files.ts` has done in a process of its own: this module is that process. */
const OPERATIONS = {
  copy,
  inspect,
  tokenOfLot: (_report: unknown, path: string, lot: number) => using(path, 'read', (db) => tokenIn(db, lot)),
  storeId: (_report: unknown, path: string) => using(path, 'write', (db) => metaOf(db, 'store_id')),
  compact,
};
export type RecordsOperations = typeof OPERATIONS;

serveChild(OPERATIONS);

/**
 * SQLite begins a backup anew whenever another process writes, so that one beside a busy master would never end: inside
 * a transaction it sees one moment, and what is written meanwhile waits in the log.
 */
async function copy(report: Report, path: string, target: string, inUse: boolean): Promise<void> {
  await using(path, inUse ? 'read' : 'write', async (db) => {
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    const pageSize = db.pragma('page_size', { simple: true }) as number;
    await db.backup(target, {
      progress: ({ totalPages, remainingPages }) => {
        const total = totalPages * pageSize;
        report({ step: 'copying records', done: total - remainingPages * pageSize, total });
        return PAGES;
      },
    });
    db.exec('COMMIT');
  });
  // One file, without a log beside it, that can be looked at where nothing can be written.
  const copied = new Database(target);
  copied.pragma('journal_mode = DELETE');
  copied.close();
  syncFile(target);
}

async function inspect(report: Report, path: string): Promise<RecordsSummary> {
  const total = statSync(path).size;
  const summary = await using(path, 'read', (db) => {
    const step = 'reading records';
    report({ step, done: 0, total });
    checkPages(db, path);
    report({ step, done: Math.round(total / 2), total });
    return summaryOf(db);
  });
  return { ...summary, ...(await digestOf(path, 'summing up records', { signal: NEVER, report })) };
}

async function compact(_report: Report, path: string, target: string): Promise<CompactedRecords> {
  return await using(path, 'write', (db) => {
    db.pragma('wal_checkpoint(TRUNCATE)');
    const before = statSync(path).size;
    const dropped: CompactedRecords['dropped'] = hasTexts(db) ? { text: dropUnusedTexts(db) } : {};
    db.prepare('VACUUM INTO ?').run(target);
    const fresh = openReader(target);
    try {
      checkPages(fresh, target);
      const [old, now] = [contentOf(db), contentOf(fresh)];
      if (old !== now) throw new Error(`the copy of ${path} is not what was copied:\n${old}\n${now}`);
    } finally {
      fresh.close();
    }
    syncFile(target);
    return { before, after: statSync(target).size, dropped };
  });
}

/**
 * `write`: of a file that nobody else has; at the end its log is joined to it, where a look for reading only would leave
 * files beside it.
 */
async function using<T>(
  path: string,
  mode: 'read' | 'write',
  work: (db: Sqlite) => T | Promise<T>,
): Promise<T> {
  if (!existsSync(path)) throw new CodedError('file_unusable', `there is no records database ${path}`);
  refuseNonDatabase(path, RECORDS_FILE.kind);
  let db: Sqlite | undefined;
  try {
    db = mode === 'read' ? openReader(path) : new Database(path, { fileMustExist: true, timeout: 2000 });
    if (identify(db, path, { ...RECORDS_FILE, beforeAdopt: () => {} }) === 0) {
      throw new CodedError(
        'file_foreign',
        `${path} is no records database yet: a master takes over an original's when it starts on it`,
      );
    }
    return await work(db);
  } catch (error) {
    if (error instanceof CodedError || (error as { code?: string }).code === undefined) throw error;
    throw storeError(error, path, RECORDS_FILE.kind);
  } finally {
    db?.close();
  }
}

function checkPages(db: Sqlite, path: string): void {
  const found = db.pragma('integrity_check(5)', { simple: true });
  if (found === 'ok') return;
  throw new CodedError('file_damaged', `the ${RECORDS_FILE.kind} ${path} is damaged: ${String(found)}`);
}

function summaryOf(db: Sqlite): Omit<RecordsSummary, 'bytes' | 'sha256'> {
  const row = <T>(sql: string) => db.prepare(sql).get() as T;
  const sums = row<{ n: number; down: number; up: number }>(
    `SELECT count(*) AS n, ${safeSum('conn_download')} AS down, ${safeSum('conn_upload')} AS up FROM connections`,
  );
  const newest = db.prepare('SELECT lot, token FROM lots ORDER BY lot DESC LIMIT 1').get();
  return {
    storeId: metaOf(db, 'store_id'),
    schema: db.pragma('user_version', { simple: true }) as number,
    connections: sums.n,
    download: sums.down,
    upload: sums.up,
    agents: row<{ n: number }>('SELECT count(*) AS n FROM agents').n,
    lots: row<{ n: number }>('SELECT count(*) AS n FROM lots').n,
    newest: (newest as RecordsSummary['newest'] | undefined) ?? null,
    pending: row<{ n: number }>('SELECT count(*) AS n FROM pending_facts').n,
  };
}

/** A file of an earlier version, which no master of this one has opened yet, has them in its rows. */
function hasTexts(db: Sqlite): boolean {
  return (
    db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'texts'").get() !== undefined
  );
}

/** Everything that says whether two files hold the same: rows of every table, and what is summed up of them. */
function contentOf(db: Sqlite): string {
  const tables = db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .pluck()
    .all() as string[];
  const rows = tables.map((name) => [
    name,
    db
      .prepare(`SELECT count(*) FROM "${name.replaceAll('"', '""')}"`)
      .pluck()
      .get(),
  ]);
  const schema = db.prepare('SELECT name, sql FROM sqlite_master ORDER BY name').all();
  return JSON.stringify({ ...summaryOf(db), rows, schema });
}

function metaOf(db: Sqlite, key: string): string {
  return db.prepare('SELECT value FROM meta WHERE key = ?').pluck().get(key) as string;
}

function tokenIn(db: Sqlite, lot: number): string | null {
  return (db.prepare('SELECT token FROM lots WHERE lot = ?').pluck().get(lot) as string | undefined) ?? null;
}
