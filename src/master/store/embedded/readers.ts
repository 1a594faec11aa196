import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CodedError } from '../../../common/errors.ts';
import type { Admit, FactExport, ReadOptions, RunQuery } from '../store.ts';
import type { DuckDB } from './native.ts';
import { type FilePlace, OpenExport } from './open-export.ts';
import { Reading } from './reading.ts';
import { Slots } from './slots.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
/** A question that reads more is a heavy one: a week of five million connections in 90 days is half of it. */
const HEAVY_FACTS = 1_000_000;
/** One has all threads of the database; a second beside it would only make both slower, and everything else too. */
const HEAVY_AT_ONCE = 1;
/** So long at most a heavy question lets light ones go first, of which there may be one after the other without end. */
const HEAVY_PATIENCE_MS = 3000;

export interface ReadersOptions {
  /** Questions at once, a heavy one among them. */
  concurrency: number;
  /** How many may wait for their turn, of heavy ones and of others each. */
  queue: number;
  exportFiles: FilePlace;
}

/**
 * Connections that only read: each question has one for itself, inside a read-only transaction, so that it sees
 * one state of the store and can change nothing. Exports have theirs beside the slots of questions.
 */
export class Readers {
  readonly #duckdb: DuckDB;
  readonly #instance: DuckDBInstance;
  readonly #slots: Slots;
  readonly #heavySlots: Slots;
  readonly #exportFiles: FilePlace;
  readonly #idle: DuckDBConnection[] = [];
  readonly #exports = new Set<OpenExport>();
  readonly #closing = new AbortController();
  #reading = 0;

  constructor(duckdb: DuckDB, instance: DuckDBInstance, options: ReadersOptions) {
    this.#duckdb = duckdb;
    this.#instance = instance;
    const { queue } = options;
    const others = Math.max(1, options.concurrency - HEAVY_AT_ONCE);
    const crowded = (than: 'at most' | 'over') =>
      `${queue} questions with ${than} ${HEAVY_FACTS} facts to read wait already; ${others + HEAVY_AT_ONCE} questions ` +
      `are answered at once, ${HEAVY_AT_ONCE} of them with over ${HEAVY_FACTS}`;
    this.#slots = new Slots(others, queue, crowded('at most'));
    this.#heavySlots = new Slots(HEAVY_AT_ONCE, queue, crowded('over'));
    this.#exportFiles = options.exportFiles;
  }

  async read<T>(work: (run: RunQuery, admit: Admit) => Promise<T>, options: ReadOptions = {}): Promise<T> {
    const limit = new AbortController();
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timer = setTimeout(() => limit.abort(timeoutError(timeoutMs)), timeoutMs);
    const ends = [limit.signal, this.#closing.signal, ...(options.signal ? [options.signal] : [])];
    const signal = AbortSignal.any(ends);
    let held: Slots | null = null;
    const move = async (to: Slots) => {
      held?.release();
      held = null;
      await to.take(signal);
      held = to;
    };
    const admit = async (facts: number) => {
      if (facts <= HEAVY_FACTS || held === this.#heavySlots) return;
      const patience = AbortSignal.timeout(HEAVY_PATIENCE_MS);
      await move(this.#heavySlots);
      await this.#letOthersGoFirst(signal, patience);
    };
    this.#reading++;
    try {
      await move(this.#slots);
      return await this.#transaction((run) => work(run, admit), signal);
    } finally {
      (held as Slots | null)?.release();
      this.#reading--;
      clearTimeout(timer);
    }
  }

  async openExport(signal: AbortSignal): Promise<FactExport> {
    const ends = AbortSignal.any([signal, this.#closing.signal]);
    ends.throwIfAborted();
    const connection = await this.#take();
    const reading = await Reading.begin(this.#duckdb, connection, ends);
    const opened: OpenExport = new OpenExport(reading, this.#exportFiles, async () => {
      await this.#giveBack(connection, reading);
      this.#exports.delete(opened);
    });
    this.#exports.add(opened);
    return opened;
  }

  /** Interrupts what runs, and closes every connection once it is idle. */
  async close(): Promise<void> {
    this.#closing.abort(new CodedError('not_ready', 'the fact store is closing'));
    await Promise.all([...this.#exports].map((opened) => opened.close()));
    while (this.#reading > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const connection of this.#idle.splice(0)) connection.closeSync();
  }

  /** All share one set of threads, so order is the only priority there is. */
  async #letOthersGoFirst(signal: AbortSignal, patience: AbortSignal): Promise<void> {
    await this.#slots.idle(AbortSignal.any([signal, patience])).catch((error: unknown) => {
      if (!patience.aborted || signal.aborted) throw error;
    });
  }

  async #transaction<T>(work: (run: RunQuery) => Promise<T>, signal: AbortSignal): Promise<T> {
    const connection = await this.#take();
    const reading = await Reading.begin(this.#duckdb, connection, signal);
    try {
      return await work((query) => reading.run(query));
    } catch (error) {
      throw reading.reasonOf(error);
    } finally {
      await this.#giveBack(connection, reading);
    }
  }

  async #take(): Promise<DuckDBConnection> {
    return this.#idle.pop() ?? (await this.#instance.connect());
  }

  async #giveBack(connection: DuckDBConnection, reading: Reading): Promise<void> {
    if (await reading.end()) this.#idle.push(connection);
    else connection.closeSync();
  }
}

function timeoutError(timeoutMs: number): CodedError {
  return new CodedError('query_timeout', `the query took longer than ${timeoutMs / 1000} s`, {
    retryAfter: 10,
  });
}
