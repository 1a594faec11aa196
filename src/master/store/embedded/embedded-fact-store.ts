import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CodedError } from '../../../common/errors.ts';
import type {
  Admit,
  Fact,
  FactCoverage,
  FactExport,
  FactStore,
  Lot,
  MergeStep,
  MissingFacts,
  ReadOptions,
  RollupStep,
  RunQuery,
  SnapshotSource,
  StoredLot,
  TierName,
} from '../store.ts';
import { readEverything } from './check-file.ts';
import { coverageOf } from './coverage.ts';
import { cutAbove } from './cut.ts';
import { fileError } from './file-errors.ts';
import { copyOfOpen, keepLastGoodOfOpen } from './last-good.ts';
import { metaNumber, metaText, putMeta } from './meta.ts';
import type { FactMigration } from './migrations.ts';
import { missingFacts } from './missing.ts';
import { insertLot, moveLot, tokenNumber, tokenText } from './move-lot.ts';
import { type DuckDB, loadDuckDB } from './native.ts';
import { type OpenFile, openFacts } from './open.ts';
import { Readers } from './readers.ts';
import { dropBefore, mergeFragments } from './retention.ts';
import { rollUp, watermarkOf } from './rollup.ts';
import { Stage } from './stage.ts';
import { transaction } from './transaction.ts';

export interface EmbeddedOptions {
  path: string;
  /** What DuckDB may use, its cache of the file included; the process takes some 200 MB more. */
  memoryLimitMb?: number;
  threads?: number;
  /** For what does not fit in memory. Beside the file by default: `x.facts.duckdb` → `x.facts.duckdb.tmp`. */
  tempDirectory?: string;
  /** Questions answered at once. */
  readConcurrency?: number;
  /** Questions that may wait behind them. */
  readQueue?: number;
  /** Space that exports leave on the disk, bytes; 256 MiB. */
  exportSpareBytes?: number;
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

interface Opened extends OpenFile {
  readers: Readers;
}

/**
 * Facts in a DuckDB file that this process alone holds. One connection writes, in the order of the calls; others
 * read. A lot and its row in `lots` change in one transaction, which is what "wholly or not at all" stands on.
 */
export class EmbeddedFactStore implements FactStore, SnapshotSource {
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
    const tempDirectory = resolve(options.tempDirectory ?? `${options.path}.tmp`);
    const file = await openFacts(duckdb, {
      path: options.path,
      memoryLimitMb: options.memoryLimitMb ?? 128,
      threads: options.threads ?? Math.min(availableParallelism(), 4),
      tempDirectory,
      ...(options.migrations === undefined ? {} : { migrations: options.migrations }),
      ...(options.onRecovered === undefined ? {} : { onRecovered: options.onRecovered }),
    });
    const concurrency = options.readConcurrency ?? 3;
    const readers = new Readers(duckdb, file.instance, {
      concurrency,
      queue: options.readQueue ?? 32,
      exportFiles: {
        directory: tempDirectory,
        ...(options.exportSpareBytes === undefined ? {} : { spareBytes: options.exportSpareBytes }),
      },
    });
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

  read<T>(work: (run: RunQuery, admit: Admit) => Promise<T>, options?: ReadOptions): Promise<T> {
    return this.#require().readers.read(work, options);
  }

  async openExport(signal: AbortSignal): Promise<FactExport> {
    return await this.#require().readers.openExport(signal);
  }

  adopt(storeId: string): Promise<void> {
    return this.#change(async (writer) => {
      const owner = await metaText(writer, 'store_id');
      if (owner === storeId) return;
      if (owner !== undefined) {
        throw new CodedError(
          'file_foreign',
          `the facts file ${this.#options.path} belongs to another records database`,
        );
      }
      await putMeta(writer, 'store_id', storeId);
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
    return this.#change((writer) => cutAbove(writer, lot));
  }

  watermarkAt(instant: number): Promise<number> {
    return this.#write((writer) => watermarkOf(writer, instant));
  }

  async rollUp(maxRows: number): Promise<RollupStep> {
    const step = await this.#change((writer) => rollUp(writer, maxRows, this.#now()));
    this.#rowsSinceCheckpoint += step.rows;
    return step;
  }

  dropBefore(tier: TierName, bucket: number, lot: number): Promise<number> {
    return this.#change((writer) => dropBefore(writer, tier, bucket, lot));
  }

  mergeFragments(bucket: number, lot: number): Promise<MergeStep> {
    return this.#change((writer) => mergeFragments(writer, bucket, lot));
  }

  usedBytes(): Promise<number> {
    return this.#write(async (writer) => {
      const found = await writer.runAndReadAll('SELECT used_blocks * block_size FROM pragma_database_size()');
      return Number(found.getColumns()[0]?.[0]);
    });
  }

  reclaim(): Promise<boolean> {
    return this.#write(async (writer) => {
      // A checkpoint with nothing to write gives no space free that a question kept from the one before.
      await transaction(writer, () => putMeta(writer, 'reclaimed_at', this.#now()));
      return await this.#checkpoint(writer);
    });
  }

  missing(): Promise<MissingFacts[]> {
    return this.#write(missingFacts);
  }

  coverage(): Promise<FactCoverage> {
    return this.#change(coverageOf);
  }

  recordGap(lots: readonly Lot[]): Promise<void> {
    return this.#change(async (writer) => {
      for (const lot of lots) {
        if (!(await this.#isStored(writer, lot))) await insertLot(writer, lot, 'gap', this.#now());
      }
    });
  }

  async check(signal?: AbortSignal): Promise<void> {
    const options = { timeoutMs: 86_400_000, ...(signal ? { signal } : {}) };
    try {
      // A question for each table, so that others get their turn and space can be reclaimed in between.
      for (const text of readEverything()) await this.read((run) => run({ text, values: [] }), options);
    } catch (error) {
      throw signal?.aborted ? error : fileError(error, this.#options.path);
    }
    await this.#change((writer) => putMeta(writer, 'checked_at', this.#now()));
  }

  checkedAt(): Promise<number> {
    return this.#write((writer) => metaNumber(writer, 'checked_at'));
  }

  snapshot(target: string, signal: AbortSignal): Promise<{ covered: boolean }> {
    const { path } = this.#options;
    return this.#write(async (writer) => {
      signal.throwIfAborted();
      await this.#checkpoint(writer);
      await copyOfOpen(path, target, signal);
      // The file does not change before the next checkpoint, so the two copies hold the same.
      return { covered: await keepLastGoodOfOpen(path) };
    });
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
   * costs nothing. So it does when readers make it impossible for a moment. Returns whether it was written.
   */
  async #checkpoint(writer: DuckDBConnection): Promise<boolean> {
    this.#lotsSinceCheckpoint = 0;
    this.#rowsSinceCheckpoint = 0;
    if (!(await keepLastGoodOfOpen(this.#options.path))) return false;
    return await writer.run('CHECKPOINT').then(
      () => true,
      () => false,
    );
  }

  #require(): Opened {
    if (!this.#opened) throw new CodedError('not_ready', 'the fact store is not open');
    return this.#opened;
  }

  /** The same, wholly or not at all. */
  #change<T>(work: (writer: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.#write((writer) => transaction(writer, () => work(writer)));
  }

  /** One after the other, in the order of the calls, whether or not the one before succeeded. */
  #write<T>(work: (writer: DuckDBConnection) => Promise<T>): Promise<T> {
    const done = this.#tail.then(() => work(this.#require().writer));
    this.#tail = done.catch(() => undefined);
    return done;
  }
}
