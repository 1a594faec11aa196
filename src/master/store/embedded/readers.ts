import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CodedError } from '../../../common/errors.ts';
import type { ReadOptions, RunQuery, SqlQuery, SqlRow } from '../store.ts';
import type { DuckDB } from './native.ts';
import { Slots } from './slots.ts';
import { bindValues } from './values.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
/** An interrupt that comes just before a statement begins is forgotten by DuckDB, so it is repeated. */
const INTERRUPT_EVERY_MS = 20;

export interface ReadersOptions {
  concurrency: number;
  queue: number;
}

/**
 * Connections that only read: each question has one for itself, inside a read-only transaction, so that it sees
 * one state of the store and can change nothing.
 */
export class Readers {
  readonly #duckdb: DuckDB;
  readonly #instance: DuckDBInstance;
  readonly #slots: Slots;
  readonly #idle: DuckDBConnection[] = [];
  readonly #closing = new AbortController();

  constructor(duckdb: DuckDB, instance: DuckDBInstance, options: ReadersOptions) {
    this.#duckdb = duckdb;
    this.#instance = instance;
    this.#slots = new Slots(options.concurrency, options.queue);
  }

  async read<T>(work: (run: RunQuery) => Promise<T>, options: ReadOptions = {}): Promise<T> {
    const limit = new AbortController();
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timer = setTimeout(() => limit.abort(timeoutError(timeoutMs)), timeoutMs);
    const ends = [limit.signal, this.#closing.signal, ...(options.signal ? [options.signal] : [])];
    const signal = AbortSignal.any(ends);
    try {
      await this.#slots.take(signal);
      try {
        return await this.#transaction(work, signal);
      } finally {
        this.#slots.release();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Interrupts what runs, and closes every connection once it is idle. */
  async close(): Promise<void> {
    this.#closing.abort(new CodedError('not_ready', 'the fact store is closing'));
    while (this.#slots.taken > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const connection of this.#idle.splice(0)) connection.closeSync();
  }

  async #transaction<T>(work: (run: RunQuery) => Promise<T>, signal: AbortSignal): Promise<T> {
    const connection = this.#idle.pop() ?? (await this.#instance.connect());
    let repeat: NodeJS.Timeout | undefined;
    const interrupt = () => {
      connection.interrupt();
      repeat = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS);
    };
    try {
      await connection.run('BEGIN TRANSACTION READ ONLY');
      signal.addEventListener('abort', interrupt, { once: true });
      return await work((query) => this.#run(connection, query, signal));
    } catch (error) {
      throw signal.aborted ? signal.reason : queryError(error);
    } finally {
      signal.removeEventListener('abort', interrupt);
      clearInterval(repeat);
      await this.#giveBack(connection);
    }
  }

  async #giveBack(connection: DuckDBConnection): Promise<void> {
    try {
      await connection.run('ROLLBACK');
      this.#idle.push(connection);
    } catch {
      connection.closeSync();
    }
  }

  /** Converts chunk by chunk (2,048 rows), so that a long answer does not hold up the event loop. */
  async #run(connection: DuckDBConnection, query: SqlQuery, signal: AbortSignal): Promise<SqlRow[]> {
    signal.throwIfAborted();
    const { values, types } = bindValues(this.#duckdb, query.values);
    const result = await connection.stream(query.text, values, types);
    const rows: SqlRow[] = [];
    for await (const chunk of result.yieldRowObjectJs()) {
      signal.throwIfAborted();
      rows.push(...chunk);
    }
    return rows;
  }
}

function timeoutError(timeoutMs: number): CodedError {
  return new CodedError('query_timeout', `the query took longer than ${timeoutMs / 1000} s`, {
    retryAfter: 10,
  });
}

/** Out of memory is a property of the question; everything else is a bug and passes unchanged. */
function queryError(error: unknown): unknown {
  if (!(error instanceof Error) || !/out of memory/i.test(error.message)) return error;
  const message = 'the query needs more memory than the fact store may use';
  return new CodedError('query_too_large', message, { cause: error });
}
