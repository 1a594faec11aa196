import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { CodedError } from './errors.ts';
import { identify, refuseNewer, refuseNonDatabase, type StoreFile, storeError } from './sqlite.ts';

/** Places in a file's header, as SQLite's file format has them; numbers are big-endian, 4 bytes. */
const HEADER_BYTES = 100;
const WRITE_VERSION_OFFSET = 18;
const USER_VERSION_OFFSET = 60;
const APPLICATION_ID_OFFSET = 68;
/** The write version of a file with a write-ahead log. */
const WAL = 2;

/**
 * Whether a file could be opened as this store: throws what `openStore` would throw of its identity, its version and
 * its permissions. Nothing remains of the look: SQLite itself leaves `-wal` and `-shm` beside a file that it opens
 * for reading only, so it never sees a file of ours.
 */
export function inspectStore(path: string, file: StoreFile): void {
  refuseNonDatabase(path, file.kind);
  tryDirectory(path, file.kind);
  if (!existsSync(path)) return;
  const header = readHeader(path, file.kind);
  if (header.readUInt32BE(APPLICATION_ID_OFFSET) === file.applicationId) {
    refuseNewer(header.readUInt32BE(USER_VERSION_OFFSET), path, file);
    return;
  }
  try {
    // One to adopt, or one that died before its first page was written: what it holds is asked of SQLite.
    const logged = header[WRITE_VERSION_OFFSET] === WAL || existsSync(`${path}-journal`);
    if (logged) identifyCopy(path, file);
    else identifyAt(path, path, file);
  } catch (error) {
    throw error instanceof CodedError ? error : storeError(error, path, file.kind);
  }
}

/** Logs and locks come to stand beside the file, so its directory must be writable whether it exists or not. */
function tryDirectory(path: string, kind: string): void {
  try {
    // Tried and not asked: `access` knows nothing of access lists, quotas and file systems that have no files.
    rmdirSync(mkdtempSync(join(dirname(resolve(path)), '.check-')));
  } catch (error) {
    throw new CodedError(
      'file_unusable',
      `the directory of the ${kind} ${path} cannot be written to: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function readHeader(path: string, kind: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  try {
    const fd = openSync(path, 'r+');
    readSync(fd, header, 0, HEADER_BYTES, 0);
    closeSync(fd);
    return header;
  } catch (error) {
    throw new CodedError(
      'file_unusable',
      `cannot write to the ${kind} ${path}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function identifyAt(place: string, path: string, file: StoreFile): void {
  const db = new Database(place, { readonly: true, fileMustExist: true, timeout: 2000 });
  try {
    identify(db, path, { ...file, beforeAdopt: () => {} });
  } finally {
    db.close();
  }
}

/** With its logs, which a look at the file itself would replay or leave behind. */
function identifyCopy(path: string, file: StoreFile): void {
  const directory = mkdtempSync(join(tmpdir(), 'mihomo-connections-tracker-check-'));
  try {
    const copy = join(directory, 'copy.db');
    for (const suffix of ['', '-wal', '-journal']) {
      if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix, constants.COPYFILE_FICLONE);
    }
    // Opened for writing: a rollback journal that is left over must be replayed before anything can be read.
    const db = new Database(copy, { fileMustExist: true });
    try {
      identify(db, path, { ...file, beforeAdopt: () => {} });
    } finally {
      db.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
