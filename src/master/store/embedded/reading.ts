import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { CodedError } from '../../../common/errors.ts';
import type { SqlQuery, SqlRow } from '../store.ts';
import type { DuckDB } from './native.ts';
import { bindValues } from './values.ts';

/** An interrupt that comes just before a statement begins is forgotten by DuckDB, so it is repeated. */
const INTERRUPT_EVERY_MS = 20;
const EMPTY = new Uint8Array();

/**
 * A group is held in memory whole, by every thread; and with the order of rows kept, so are groups that others must go
 * before. A sixth of DuckDB's size makes files 7 % larger.
 */
const PARQUET = 'FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, PRESERVE_ORDER false';

/**
 * A read-only transaction on a connection that nobody else uses: every statement sees the same state of the store, and
 * none can change it. An aborted signal interrupts the one that runs.
 */
export class Reading {
  readonly #duckdb: DuckDB;
  readonly #connection: DuckDBConnection;
  readonly #signal: AbortSignal;
  #repeat: NodeJS.Timeout | undefined;

  private constructor(duckdb: DuckDB, connection: DuckDBConnection, signal: AbortSignal) {
    this.#duckdb = duckdb;
    this.#connection = connection;
    this.#signal = signal;
  }

  static async begin(duckdb: DuckDB, connection: DuckDBConnection, signal: AbortSignal): Promise<Reading> {
    const reading = new Reading(duckdb, connection, signal);
    await connection.run('BEGIN TRANSACTION READ ONLY');
    signal.addEventListener('abort', reading.#interrupt, { once: true });
    return reading;
  }

  /** All rows. Converted chunk by chunk (2,048 rows), so that a long answer does not hold up the event loop. */
  async run(query: SqlQuery): Promise<SqlRow[]> {
    const result = await this.#stream(query);
    const rows: SqlRow[] = [];
    for await (const chunk of result.yieldRowObjectJs()) {
      this.#signal.throwIfAborted();
      rows.push(...chunk);
    }
    return rows;
  }

  /** The one column, a BLOB, of row after row, in pieces of about `size` bytes: DuckDB goes no further than it is asked. */
  async *bytes(query: SqlQuery, size: number): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of await this.#stream(query)) {
        this.#signal.throwIfAborted();
        yield* piecesOf(this.#duckdb, chunk, size);
        // Its values would stay until the collector of JavaScript comes by, which knows nothing of their size.
        chunk.reset();
      }
    } catch (error) {
      throw this.reasonOf(error);
    }
  }

  /** Writes the rows as a Parquet file; `path` is of this program's making. */
  async writeParquet(query: SqlQuery, path: string): Promise<void> {
    this.#signal.throwIfAborted();
    const { values, types } = bindValues(this.#duckdb, query.values);
    const text = `COPY (${query.text}) TO '${path.replaceAll("'", "''")}' (${PARQUET})`;
    try {
      await this.#connection.run(text, values, types);
    } catch (error) {
      throw this.reasonOf(error);
    }
  }

  /** What to tell of a failure: the signal's reason once it is aborted. */
  reasonOf(error: unknown): unknown {
    return this.#signal.aborted ? this.#signal.reason : queryError(error);
  }

  /** Whether the connection can be used again. */
  async end(): Promise<boolean> {
    this.#signal.removeEventListener('abort', this.#interrupt);
    clearInterval(this.#repeat);
    try {
      await this.#connection.run('ROLLBACK');
      return true;
    } catch {
      return false;
    }
  }

  readonly #interrupt = (): void => {
    this.#connection.interrupt();
    this.#repeat = setInterval(() => this.#connection.interrupt(), INTERRUPT_EVERY_MS);
  };

  #stream(query: SqlQuery) {
    this.#signal.throwIfAborted();
    const { values, types } = bindValues(this.#duckdb, query.values);
    return this.#connection.stream(query.text, values, types);
  }
}

/**
 * Copies of the blobs, by way of a text with a character for each byte: a buffer for each blob would lie beside the heap of
 * JavaScript, where tens of megabytes of garbage gather before anybody looks.
 */
function* piecesOf(duckdb: DuckDB, chunk: DuckDBDataChunk, size: number): Generator<Uint8Array> {
  const vector = chunk.getColumnVector(0);
  if (!(vector instanceof duckdb.DuckDBBlobVector)) throw new Error('bytes are asked of a column of blobs');
  let piece = '';
  for (let row = 0; row < chunk.rowCount; row++) {
    const { buffer, byteOffset, length } = vector.getItemBytes(row) ?? EMPTY;
    piece += Buffer.from(buffer, byteOffset, length).toString('latin1');
    if (piece.length < size && row < chunk.rowCount - 1) continue;
    yield Buffer.from(piece, 'latin1');
    piece = '';
  }
}

/** Out of memory is a property of the question; everything else is a bug and passes unchanged. */
function queryError(error: unknown): unknown {
  if (!(error instanceof Error) || !/out of memory/i.test(error.message)) return error;
  const message = 'the query needs more memory than the fact store may use';
  return new CodedError('query_too_large', message, { cause: error });
}
