import { availableParallelism } from 'node:os';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CodedError } from '../../../common/errors.ts';
import type {
  Fact,
  FactCoverage,
  FactStore,
  Lot,
  ReadOptions,
  RollupStep,
  RunQuery,
  StoredLot,
} from '../store.ts';
import { readEverything } from './check-file.ts';
import { coverageOf } from './coverage.ts';
import { fileError } from './file-errors.ts';
import { keepLastGoodOfOpen } from './last-good.ts';
import { metaNumber, metaText, putMeta } from './meta.ts';
import type { FactMigration } from './migrations.ts';
import { insertLot, moveLot, tokenNumber, tokenText } from './move-lot.ts';
import { type DuckDB, loadDuckDB } from './native.ts';
import { type OpenFile, openFacts } from './open.ts';
import { Readers } from './readers.ts';
import { rollUp, watermarkOf } from './rollup.ts';
import { FACT_TABLES, LOT_TABLES } from './schema.ts';
import { Stage } from './stage.ts';

export interface EmbeddedOptions {
  path: string;
  /** What DuckDB may use; the process takes about 60 MB more. */
  memoryLimitMb?: number;
  threads?: number;
  /** For what does not fit in memory. Beside the file by default: `x.facts.duckdb` → `x.facts.duckdb.tmp`. */
  tempDirectory?: string;
  backupDirectory?: string;
  /** Questions answered at once. */
  readConcurrency?: number;
  /** Questions that may wait behind them. */
  readQueue?: number;
  /** Lots between two checkpoints; one is also made after so many rows that the log gets long. */
  lotsPerCheckpoint?: number;
  now?: () => number;
  /** Told when the file was damaged, and the copy of its last good state took its place. */
  onRecovered?: (reason: string) => void;
  load?: () => Promise<DuckDB>;
  migrations?: readonly FactMigration[];
}

/** An hour of flushes; and some 50 MB of log. */
const LOTS_PER_CHECKPOINT = 240;
const ROWS_PER_CHECKPOINT = 500_000;

/** Tables of which each row is a fact, once. */
const FACTS: ReadonlySet<string> = new Set(Object.values(FACT_TABLES));

interface Opened extends OpenFile {
  readers: Readers;
}

/**
 * Facts in a DuckDB file that this process alone holds. One connection writes, in the order of the calls; others
 * read. A lot and its row in `lots` change in one transaction, which is what "wholly or not at all" stands on.
 */
export class EmbeddedFactStore implements FactStore {
  readonly name = 'facts';
  readonly #options: EmbeddedOptions;
  readonly #now: () => number;
  #opened: Opened | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #lotsSinceCheckpoint = 0;
  #rowsSinceCheckpoint = 0;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async start(): Promise<void> {
    const options = this.#options;
    const duckdb = await loadDuckDB(options.load);
    const file = await openFacts(duckdb, {
      path: options.path,
      memoryLimitMb: options.memoryLimitMb ?? 256,
      threads: options.threads ?? Math.min(availableParallelism(), 4),
      tempDirectory: options.tempDirectory ?? `${options.path}.tmp`,
      ...(options.backupDirectory === undefined ? {} : { backupDirectory: options.backupDirectory }),
      ...(options.migrations === undefined ? {} : { migrations: options.migrations }),
      ...(options.onRecovered === undefined ? {} : { onRecovered: options.onRecovered }),
    });
    const concurrency = options.readConcurrency ?? 3;
    const readers = new Readers(duckdb, file.instance, { concurrency, queue: options.readQueue ?? 32 });
    this.#opened = { ...file, readers };
  }

  /** Lets what is being written end, interrupts what is being read, and writes DuckDB's log into the file. */
  async stop(): Promise<void> {
    this.#tail = this.#tail.then(async () => {
      const opened = this.#opened;
      if (!opened) return;
      this.#opened = undefined;
      await opened.readers.close();
      await this.#checkpoint(opened.writer);
      opened.writer.closeSync();
      opened.close();
    });
    await this.#tail;
  }

  read<T>(work: (run: RunQuery) => Promise<T>, options?: ReadOptions): Promise<T> {
    return this.#require().readers.read(work, options);
  }

  adopt(storeId: string): Promise<void> {
    return this.#write(async (writer) => {
      const owner = await metaText(writer, 'store_id');
      if (owner === storeId) return;
      if (owner !== undefined) {
        throw new CodedError(
          'file_foreign',
          `the facts file ${this.#options.path} belongs to another records database`,
        );
      }
      await transaction(writer, () => putMeta(writer, 'store_id', storeId));
    });
  }

  lots(limit: number, below?: number): Promise<StoredLot[]> {
    return this.#write(async (writer) => {
      const found = await writer.runAndReadAll(
        'SELECT lot, token, state FROM lots WHERE lot < $1::BIGINT ORDER BY lot DESC LIMIT $2::BIGINT',
        [BigInt(below ?? Number.MAX_SAFE_INTEGER), BigInt(limit)],
      );
      return found.getRows().map(([lot, token, state]) => ({
        lot: Number(lot),
        token: tokenText(token as bigint),
        state: state === 'gap' ? 'gap' : 'ok',
      }));
    });
  }

  append(lot: Lot, chunks: AsyncIterable<Fact[]> | Iterable<Fact[]>): Promise<boolean> {
    return this.#write(async (writer) => {
      if (await this.#isStored(writer, lot)) return false;
      const watermark = await watermarkOf(writer);
      if (lot.lot <= watermark)
        throw new Error(`lot ${lot.lot} comes after a rollup of lots up to ${watermark}`);
      const stage = await this.#stage(writer, lot, chunks);
      await transaction(writer, () => moveLot(writer, lot, stage, this.#now()));
      this.#lotsSinceCheckpoint++;
      this.#rowsSinceCheckpoint += lot.rows;
      const many = this.#lotsSinceCheckpoint >= (this.#options.lotsPerCheckpoint ?? LOTS_PER_CHECKPOINT);
      if (many || this.#rowsSinceCheckpoint >= ROWS_PER_CHECKPOINT) await this.#checkpoint(writer);
      return true;
    });
  }

  cutAbove(lot: number): Promise<{ removed: number; exact: boolean }> {
    return this.#write((writer) =>
      transaction(writer, async () => {
        const floor = await metaNumber(writer, 'floor');
        let removed = 0;
        for (const table of LOT_TABLES) {
          const result = await writer.run(`DELETE FROM ${table} WHERE lot > $1::INTEGER`, [lot]);
          if (FACTS.has(table)) removed += result.rowsChanged;
        }
        return { removed, exact: lot >= floor };
      }),
    );
  }

  rollUp(maxRows: number): Promise<RollupStep> {
    return this.#write(async (writer) => {
      const step = await transaction(writer, () => rollUp(writer, maxRows, this.#now()));
      this.#rowsSinceCheckpoint += step.rows;
      return step;
    });
  }

  coverage(): Promise<FactCoverage> {
    return this.#write((writer) => transaction(writer, () => coverageOf(writer)));
  }

  recordGap(lots: readonly Lot[]): Promise<void> {
    return this.#write((writer) =>
      transaction(writer, async () => {
        for (const lot of lots) {
          if (!(await this.#isStored(writer, lot))) await insertLot(writer, lot, 'gap', this.#now());
        }
      }),
    );
  }

  async check(): Promise<void> {
    const day = 86_400_000;
    try {
      await this.read(
        async (run) => {
          for (const text of readEverything()) await run({ text, values: [] });
        },
        { timeoutMs: day },
      );
    } catch (error) {
      throw fileError(error, this.#options.path);
    }
  }

  async #isStored(writer: DuckDBConnection, lot: Lot): Promise<boolean> {
    const found = await writer.runAndReadAll('SELECT token FROM lots WHERE lot = $1::INTEGER', [lot.lot]);
    const token = found.getColumns()[0]?.[0];
    if (token === undefined) return false;
    if (token === tokenNumber(lot.token)) return true;
    throw new Error(`lot ${lot.lot} is stored under token ${tokenText(token as bigint)}, not ${lot.token}`);
  }

  async #stage(
    writer: DuckDBConnection,
    lot: Lot,
    chunks: AsyncIterable<Fact[]> | Iterable<Fact[]>,
  ): Promise<Stage> {
    const stage = await Stage.begin(writer);
    try {
      for await (const facts of chunks) await stage.add(facts);
    } finally {
      stage.close();
    }
    if (stage.rows !== lot.rows) {
      throw new Error(`lot ${lot.lot} has ${lot.rows} facts, but ${stage.rows} were given`);
    }
    return stage;
  }

  /**
   * Writes DuckDB's log into the file, once a copy of it is made; without one the log stays a little longer, which
   * costs nothing. So it does when readers make it impossible for a moment.
   */
  async #checkpoint(writer: DuckDBConnection): Promise<void> {
    this.#lotsSinceCheckpoint = 0;
    this.#rowsSinceCheckpoint = 0;
    if (!(await keepLastGoodOfOpen(this.#options.path))) return;
    await writer.run('CHECKPOINT').catch(() => undefined);
  }

  #require(): Opened {
    if (!this.#opened) throw new CodedError('not_ready', 'the fact store is not open');
    return this.#opened;
  }

  /** One after the other, in the order of the calls, whether or not the one before succeeded. */
  #write<T>(work: (writer: DuckDBConnection) => Promise<T>): Promise<T> {
    const done = this.#tail.then(() => work(this.#require().writer));
    this.#tail = done.catch(() => undefined);
    return done;
  }
}

async function transaction<T>(writer: DuckDBConnection, work: () => Promise<T>): Promise<T> {
  await writer.run('BEGIN TRANSACTION');
  try {
    const result = await work();
    await writer.run('COMMIT');
    return result;
  } catch (error) {
    // A commit that failed has ended the transaction already.
    await writer.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
