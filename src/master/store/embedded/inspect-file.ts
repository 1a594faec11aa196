import { constants, copyFileSync, existsSync, statSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { digestOf, syncFile } from '../../../common/durable-files.ts';
import { CodedError } from '../../../common/errors.ts';
import type { Report } from '../../../common/progress.ts';
import { systemError } from '../../../common/system-error.ts';
import type { FactsSummary, TableSums } from '../fact-files.ts';
import { readEverything, TABLE_NAMES } from './check-file.ts';
import { fileError } from './file-errors.ts';
import { identify, MIGRATIONS, refuseUnknown } from './migrations.ts';
import { tokenText } from './move-lot.ts';
import { loadDuckDB } from './native.ts';
import { readOnly } from './open.ts';
import { ALL_FACT_TABLES, quoted, SCHEMA_VERSION } from './schema.ts';

/** One file is read at a time, and nobody waits for an answer. */
const OPTIONS = { memory_limit: '256MiB', threads: '2' };

const NEVER = new AbortController().signal;

/** See `FactFiles.copy`. */
export async function copyFile(path: string, target: string): Promise<void> {
  if (!existsSync(path)) throw new CodedError('file_missing', `there is no facts file ${path}`);
  const log = `${target}.wal`;
  try {
    copyFileSync(path, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    if (existsSync(`${path}.wal`)) {
      copyFileSync(`${path}.wal`, log, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      await joinLog(target);
    }
    syncFile(target);
  } catch (error) {
    throw systemError(fileError(error, path), `the facts file ${path} cannot be copied`);
  }
}

/** Of a copy: what a kill could cut short here is not the original. */
async function joinLog(path: string): Promise<void> {
  const duckdb = await loadDuckDB();
  const instance = await duckdb.DuckDBInstance.create(path, { ...OPTIONS });
  const connection = await instance.connect();
  try {
    await connection.run('CHECKPOINT');
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  if (existsSync(`${path}.wal`)) throw new Error(`the log of ${path} could not be joined to it`);
}

/** See `FactFiles.inspect`. Files of earlier versions of the schema are read as they are. */
export async function inspectFile(report: Report, path: string): Promise<FactsSummary> {
  const found = await lookAt(path, async (connection, version) => {
    const names = columnOf(await connection.runAndReadAll(TABLE_NAMES)).map(String);
    const tables: Record<string, TableSums> = {};
    const step = 'reading facts';
    const total = statSync(path).size;
    const statements = readEverything(names);
    for (const [at, statement] of statements.entries()) {
      report({ step, done: Math.round((total * at) / statements.length), total });
      await connection.run(statement);
    }
    for (const table of names.filter((name) => (ALL_FACT_TABLES as readonly string[]).includes(name))) {
      tables[table] = await sumsOf(connection, table);
    }
    return {
      storeId: await ownerIn(connection),
      schema: version,
      lots: Number(columnOf(await connection.runAndReadAll('SELECT count(*) FROM lots'))[0]),
      newest: await newestLot(connection),
      tables,
    };
  });
  return { ...found, ...(await digestOf(path, 'summing up facts', { signal: NEVER, report })) };
}

/** See `FactFiles.ownerOf`. */
export function ownerOfFile(path: string): Promise<string | null> {
  return lookAt(path, ownerIn);
}

async function lookAt<T>(
  path: string,
  look: (connection: DuckDBConnection, version: number) => Promise<T>,
): Promise<T> {
  const duckdb = await loadDuckDB();
  try {
    return await readOnly(duckdb, path, OPTIONS, async (connection) => {
      const kind = await identify(connection);
      refuseUnknown(kind, path, MIGRATIONS.at(-1)?.to ?? SCHEMA_VERSION);
      if (kind === 'empty' || kind === 'foreign') {
        throw new CodedError('file_foreign', `${path} holds no facts`);
      }
      return await look(connection, kind.version);
    });
  } catch (error) {
    throw fileError(error, path);
  }
}

async function ownerIn(connection: DuckDBConnection): Promise<string | null> {
  const found = await connection.runAndReadAll("SELECT value FROM meta WHERE key = 'store_id'");
  return (columnOf(found)[0] as string | undefined) ?? null;
}

async function newestLot(connection: DuckDBConnection): Promise<FactsSummary['newest']> {
  const found = await connection.runAndReadAll('SELECT lot, token FROM lots ORDER BY lot DESC LIMIT 1');
  const [row] = found.getRows();
  return row === undefined ? null : { lot: Number(row[0]), token: tokenText(row[1] as bigint) };
}

async function sumsOf(connection: DuckDBConnection, table: string): Promise<TableSums> {
  const found = await connection.runAndReadAll(
    `SELECT count(*), coalesce(sum(down), 0), coalesce(sum(up), 0), coalesce(sum(conns), 0) FROM ${quoted(table)}`,
  );
  const [rows, download, upload, connections] = (found.getRows()[0] ?? []).map(String);
  return {
    rows: rows ?? '',
    download: download ?? '',
    upload: upload ?? '',
    connections: connections ?? '',
  };
}

function columnOf(result: { getColumns(): unknown[][] }): unknown[] {
  return result.getColumns()[0] ?? [];
}
