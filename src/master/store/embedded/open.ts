import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CodedError } from '../../../common/errors.ts';
import { readStructure, TABLE_NAMES } from './check-file.ts';
import { completeColumns } from './dimension-columns.ts';
import { fileError } from './file-errors.ts';
import { keepLastGood, restoreLastGood } from './last-good.ts';
import { type FactMigration, identify, MIGRATIONS, migrate, refuseUnknown } from './migrations.ts';
import type { DuckDB } from './native.ts';
import { EXPORT_FILE } from './open-export.ts';
import { SCHEMA_VERSION } from './schema.ts';

export interface OpenSettings {
  path: string;
  memoryLimitMb: number;
  threads: number;
  tempDirectory: string;
  /** Where other files may be written, if anywhere. */
  outputDirectory?: string;
  migrations?: readonly FactMigration[];
  /** Told when the file was damaged, and the copy of its last good state took its place. */
  onRecovered?: (reason: string) => void;
}

export interface OpenFile {
  instance: DuckDBInstance;
  /** The one connection that writes. */
  writer: DuckDBConnection;
  /** Closes the instance and gives the path free. The caller closes its connections first. */
  close(): void;
}

/**
 * Facts files that this process holds. DuckDB's lock is the operating system's lock of a process: a second opening
 * here would be allowed, and closing it would drop the lock of the first.
 */
const held = new Set<string>();

/**
 * Opens a facts file for its one writer. Whose it is is found out read-only, so that a refused file is left
 * untouched: DuckDB merges its log into the file whenever it is opened for writing.
 *
 * Throws `file_newer`, `file_foreign`, `file_damaged`, `file_in_use` or `file_unusable`.
 */
export async function openFacts(duckdb: DuckDB, settings: OpenSettings): Promise<OpenFile> {
  const path = resolve(settings.path);
  if (!existsSync(dirname(path))) {
    throw new CodedError('file_unusable', `the directory of the facts file ${path} does not exist`);
  }
  const key = join(realpathSync(dirname(path)), path.slice(dirname(path).length));
  if (held.has(key)) {
    throw new CodedError(
      'file_in_use',
      `the facts file ${path} is held by this process (PID ${process.pid})`,
    );
  }
  held.add(key);
  const migrations = settings.migrations ?? MIGRATIONS;
  let instance: DuckDBInstance | undefined;
  let writer: DuckDBConnection | undefined;
  try {
    refuseByHeader(path);
    await inspectOrRecover(duckdb, path, migrations.at(-1)?.to ?? SCHEMA_VERSION, settings.onRecovered);
    // Opening merges the log into the file.
    keepLastGood(path);
    instance = await duckdb.DuckDBInstance.create(path, NO_EXTENSIONS);
    const opened = instance;
    writer = await opened.connect();
    prepareTemp(settings.tempDirectory);
    for (const statement of safety(settings)) await writer.run(statement);
    const kind = await identify(writer);
    if (kind === 'foreign') throw new CodedError('file_foreign', `${path} is no facts file`);
    await migrate(writer, kind, migrations);
    await completeColumns(writer);
    return {
      instance: opened,
      writer,
      close() {
        opened.closeSync();
        held.delete(key);
      },
    };
  } catch (error) {
    writer?.closeSync();
    instance?.closeSync();
    held.delete(key);
    throw fileError(error, path);
  }
}

/** Without these DuckDB would look for an extension to read a file of another program with. */
export const NO_EXTENSIONS = { autoload_known_extensions: 'false', autoinstall_known_extensions: 'false' };

/** What is no DuckDB file at all, before DuckDB sees it. Nobody in this process has it open: see `held`. */
function refuseByHeader(path: string): void {
  if (!existsSync(path)) return;
  try {
    // Left by a death between creating the file and writing its header: there is nothing in it to lose.
    if (statSync(path).size === 0 && !existsSync(`${path}.wal`)) {
      rmSync(path);
      return;
    }
    const header = Buffer.alloc(16);
    const fd = openSync(path, 'r');
    const read = readSync(fd, header, 0, 16, 0);
    closeSync(fd);
    if (header.toString('latin1', 0, read).startsWith('SQLite format 3')) {
      throw new CodedError('file_foreign', `${path} is an SQLite file, so it cannot be the facts file`);
    }
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('file_unusable', `cannot read the facts file ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function inspectOrRecover(
  duckdb: DuckDB,
  path: string,
  newest: number,
  onRecovered: (reason: string) => void = () => {},
): Promise<void> {
  if (!existsSync(path)) return;
  try {
    await inspect(duckdb, path, newest);
  } catch (error) {
    const coded = fileError(error, path);
    if (!(coded instanceof CodedError) || coded.code !== 'file_damaged' || !restoreLastGood(path))
      throw coded;
    onRecovered(coded.message);
    await inspect(duckdb, path, newest);
  }
}

async function inspect(duckdb: DuckDB, path: string, newest: number): Promise<void> {
  await readOnly(duckdb, path, {}, async (connection) => {
    const kind = await identify(connection);
    refuseUnknown(kind, path, newest);
    const tables = (await connection.runAndReadAll(TABLE_NAMES)).getColumns()[0] ?? [];
    for (const statement of readStructure(tables.map(String))) await connection.run(statement);
  });
}

/** Looks at a file that nobody in this process has open. It is not changed; a log beside it is read with it. */
export async function readOnly<T>(
  duckdb: DuckDB,
  path: string,
  options: Readonly<Record<string, string>>,
  look: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const settings = { ...NO_EXTENSIONS, access_mode: 'READ_ONLY', threads: '1', ...options };
  const instance = await duckdb.DuckDBInstance.create(path, settings);
  try {
    const connection = await instance.connect();
    try {
      return await look(connection);
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

/** Files that a killed process left behind; the lock on the facts file says that nobody else uses them. */
function prepareTemp(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(directory)) {
    if (/^duckdb_temp_/.test(name) || EXPORT_FILE.test(name)) rmSync(join(directory, name), { force: true });
  }
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/**
 * In this order: limits first, then the directories that may be touched, then the doors are closed, and last the
 * configuration itself, so that no statement can open them again.
 */
export function safety(settings: OpenSettings): string[] {
  const directories = [settings.outputDirectory, settings.tempDirectory].filter((path) => path !== undefined);
  return [
    `SET memory_limit = '${Math.round(settings.memoryLimitMb)}MiB'`,
    // What a large question took goes back at once; by default only a peak of 128 MB lets it go.
    "SET allocator_flush_threshold = '8MB'",
    "SET allocator_bulk_deallocation_flush_threshold = '8MB'",
    // Grouping by an id of a dictionary is then an array lookup, up to this many bits of it: two thirds of the time
    // for 50,000 hosts. GLOBAL, or it would hold on this connection alone.
    'SET GLOBAL perfect_ht_threshold = 18',
    `SET threads = ${Math.round(settings.threads)}`,
    `SET temp_directory = ${text(settings.tempDirectory)}`,
    "SET max_temp_directory_size = '1GB'",
    // Checkpoints are made when a copy of the file was made before (`last-good.ts`), and never in between.
    "SET checkpoint_threshold = '1TiB'",
    'PRAGMA disable_checkpoint_on_shutdown',
    `SET allowed_directories = [${directories.map((path) => text(resolve(path))).join(', ')}]`,
    'SET autoload_known_extensions = false',
    'SET autoinstall_known_extensions = false',
    'SET enable_external_access = false',
    'SET lock_configuration = true',
  ];
}
