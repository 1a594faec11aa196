import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CodedError } from '../../../common/errors.ts';
import type { Admit, FactReader, ReadOptions, RunQuery } from '../store.ts';
import { missingColumns } from './dimension-columns.ts';
import { fileError } from './file-errors.ts';
import { metaText } from './meta.ts';
import { identify, refuseUnknown } from './migrations.ts';
import { tokenText } from './move-lot.ts';
import { loadDuckDB } from './native.ts';
import { NO_EXTENSIONS, safety } from './open.ts';
import { Readers } from './readers.ts';
import { SCHEMA_VERSION } from './schema.ts';

/** As for a master: three questions at once would be no faster on two cores. */
const READERS = { concurrency: 3, queue: 32 };
const MEMORY_MB = 256;

/** What a facts file says of itself. */
export interface FactsIdentity {
  /** Of the records that it belongs to; undefined while it belongs to none. */
  readonly storeId: string | undefined;
  readonly newest: { readonly lot: number; readonly token: string; readonly flushedAt: number } | null;
}

/**
 * A facts file that no master holds, opened for reading alone: neither it nor its log is changed, so that looking never
 * costs anything. What is to be repaired is left for the next start of the master.
 */
export class FactsAtRest implements FactReader {
  readonly identity: FactsIdentity;
  readonly #instance: DuckDBInstance;
  readonly #readers: Readers;
  readonly #temp: string;

  private constructor(instance: DuckDBInstance, readers: Readers, temp: string, identity: FactsIdentity) {
    this.#instance = instance;
    this.#readers = readers;
    this.#temp = temp;
    this.identity = identity;
  }

  /** Throws `file_missing`, `file_older`, `file_newer`, `file_foreign`, `file_damaged`, `file_in_use` or `file_unusable`. */
  static async open(path: string): Promise<FactsAtRest> {
    if (!existsSync(path)) throw new CodedError('file_missing', `there is no facts file ${path}`);
    const duckdb = await loadDuckDB();
    const temp = mkdtempSync(join(tmpdir(), 'mihomo-connections-tracker-'));
    let instance: DuckDBInstance | undefined;
    try {
      instance = await duckdb.DuckDBInstance.create(path, { ...NO_EXTENSIONS, access_mode: 'READ_ONLY' });
      const connection = await instance.connect();
      let identity: FactsIdentity;
      try {
        await refuseOthers(connection, path);
        const threads = Math.min(availableParallelism(), 4);
        const settings = { path, memoryLimitMb: MEMORY_MB, threads, tempDirectory: temp };
        for (const statement of safety(settings)) await connection.run(statement);
        identity = await identityOf(connection);
      } finally {
        connection.closeSync();
      }
      const readers = new Readers(duckdb, instance, { ...READERS, exportFiles: { directory: temp } });
      return new FactsAtRest(instance, readers, temp, identity);
    } catch (error) {
      instance?.closeSync();
      rmSync(temp, { recursive: true, force: true });
      throw fileError(error, path);
    }
  }

  read<T>(work: (run: RunQuery, admit: Admit) => Promise<T>, options?: ReadOptions): Promise<T> {
    return this.#readers.read(work, options);
  }

  async close(): Promise<void> {
    await this.#readers.close();
    this.#instance.closeSync();
    rmSync(this.#temp, { recursive: true, force: true });
  }
}

async function refuseOthers(connection: DuckDBConnection, path: string): Promise<void> {
  const kind = await identify(connection);
  refuseUnknown(kind, path, SCHEMA_VERSION);
  if (kind === 'empty' || kind === 'foreign' || kind.version < SCHEMA_VERSION) {
    throw new CodedError('file_older', `the facts file ${path} is of an older schema`);
  }
  const missing = await missingColumns(connection);
  if (missing.length > 0) {
    const names = [...new Set(missing.map(({ column }) => column.name))];
    throw new CodedError(
      'file_older',
      `the facts file ${path} is older than its columns ${names.join(', ')}`,
    );
  }
}

async function identityOf(connection: DuckDBConnection): Promise<FactsIdentity> {
  const storeId = await metaText(connection, 'store_id');
  const found = await connection.runAndReadAll(
    'SELECT lot, token, flushed_at FROM lots ORDER BY lot DESC LIMIT 1',
  );
  const [row] = found.getRows();
  const newest =
    row === undefined
      ? null
      : { lot: Number(row[0]), token: tokenText(row[1] as bigint), flushedAt: Number(row[2]) };
  return { storeId, newest };
}
