import { randomUUID } from 'node:crypto';
import { createWriteStream, rmSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CodedError } from '../../../common/errors.ts';
import type { ExportFile, FactExport, FileColumn, SqlQuery, SqlRow } from '../store.ts';
import type { Reading } from './reading.ts';
import { quoted } from './schema.ts';

/** Files of exports, by which those that a killed process left are known. */
export const EXPORT_FILE = /^export-[\da-f-]{36}\.(parquet|ndjson)$/;
/** Space that an export leaves to the stores on the same disk, bytes. */
const SPARE_BYTES = 256 * 1024 * 1024;
const LOOK_EVERY_MS = 500;
/** Longest line of JSON: the fields of a record at their greatest lengths, every character escaped. */
const MAX_LINE = 1024 * 1024;

const SQL_TYPES = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  boolean: 'BOOLEAN',
  time: 'TIMESTAMPTZ',
} as const satisfies Record<FileColumn['type'], string>;

/** Where files of exports are made. */
export interface FilePlace {
  readonly directory: string;
  /** Space that must be left on that disk, bytes; 256 MiB. */
  readonly spareBytes?: number;
}

/** An export under way. Everything that it made is gone when it is closed. */
export class OpenExport implements FactExport {
  readonly #reading: Reading;
  readonly #directory: string;
  readonly #spareBytes: number;
  readonly #release: () => Promise<void>;
  readonly #files = new Set<string>();
  readonly #streams = new Set<AsyncGenerator>();
  #working: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(reading: Reading, files: FilePlace, release: () => Promise<void>) {
    this.#reading = reading;
    this.#directory = files.directory;
    this.#spareBytes = files.spareBytes ?? SPARE_BYTES;
    this.#release = release;
  }

  run(query: SqlQuery): Promise<SqlRow[]> {
    return this.#hold(this.#reading.run(query)).catch((error: unknown) => {
      throw this.#reading.reasonOf(error);
    });
  }

  bytes(query: SqlQuery, size: number): AsyncGenerator<Uint8Array> {
    const bytes = this.#reading.bytes(query, size);
    this.#streams.add(bytes);
    return bytes;
  }

  async parquet(query: SqlQuery): Promise<ExportFile> {
    const path = this.#newFile('parquet');
    await this.#whileThereIsSpace(() => this.#reading.writeParquet(query, path));
    return { path, bytes: statSync(path).size };
  }

  async parquetOf(lines: AsyncIterable<Uint8Array>, columns: readonly FileColumn[]): Promise<ExportFile> {
    const source = this.#newFile('ndjson');
    const target = createWriteStream(source, { mode: 0o600 });
    await this.#whileThereIsSpace(() => pipeline(Readable.from(lines), target));
    const read = columns.map(({ name }) => `'${name}': 'VARCHAR'`).join(', ');
    const cells = columns.map(
      ({ name, type }) => `TRY_CAST(${quoted(name)} AS ${SQL_TYPES[type]}) AS ${quoted(name)}`,
    );
    const text = `SELECT ${cells.join(', ')} FROM read_json($1, format = 'newline_delimited',
      maximum_object_size = ${MAX_LINE}, columns = {${read}})`;
    const file = await this.parquet({ text, values: [source] });
    this.#remove(source);
    return file;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#working.catch(() => {});
    // Waits for a chunk that is being read; the caller has aborted, or wants no more.
    for (const stream of this.#streams) await stream.return(undefined).catch(() => {});
    await this.#release();
    for (const path of this.#files) this.#remove(path);
  }

  #hold<T>(work: Promise<T>): Promise<T> {
    this.#working = work;
    return work;
  }

  #newFile(ending: 'parquet' | 'ndjson'): string {
    const path = join(this.#directory, `export-${randomUUID()}.${ending}`);
    this.#files.add(path);
    return path;
  }

  #remove(path: string): void {
    rmSync(path, { force: true });
    this.#files.delete(path);
  }

  /** How large the file becomes is known only when it is there, so the disk is watched while it grows. */
  async #whileThereIsSpace(work: () => Promise<unknown>): Promise<void> {
    const full = Promise.withResolvers<never>();
    full.promise.catch(() => {});
    const look = async () => {
      const { bavail, bsize } = await statfs(this.#directory);
      if (bavail * bsize >= this.#spareBytes) return;
      full.reject(
        new CodedError('disk_full', `there is too little space for an export in ${this.#directory}`),
      );
    };
    await look();
    const timer = setInterval(() => void look().catch(full.reject), LOOK_EVERY_MS);
    try {
      await Promise.race([full.promise, this.#hold(work())]);
    } finally {
      clearInterval(timer);
    }
  }
}
