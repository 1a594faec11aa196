import type { Component } from '../../common/component.ts';
import type { FactFields } from '../../domain/fact-columns.ts';

/** 0 counted, 1 overlay (repeats bytes of a counted connection), 2 unattributed (belongs to an agent alone). */
export type FactKind = 0 | 1 | 2;

/** A fact on its way to the fact store: bytes of one connection in one bucket, with what they are grouped by. */
export interface Fact {
  /** Number of the record in SQLite; 0 for unattributed. */
  conn: number;
  kind: FactKind;
  /** Minute since the epoch, UTC. */
  bucket: number;
  /** Bucket of the same connection's previous fact, 0 for its first. */
  prev: number;
  recovered: boolean;
  /** Bytes; negative only for unattributed (A8). */
  download: number;
  upload: number;
  /** 1, or 0 when the previous fact of the connection is in the same bucket, or the fact is no connection's. */
  conns: 0 | 1;
  agent: string;
  /** Null for unattributed. */
  fields: FactFields | null;
}

/** A numbered, immutable batch of facts. Known by its random token: restored copies reuse numbers, not tokens. */
export interface Lot {
  lot: number;
  /** 16 hexadecimal digits. */
  token: string;
  rows: number;
  firstBucket: number;
  lastBucket: number;
  download: number;
  upload: number;
  sealedAt: number;
}

/** A lot as the fact store knows it; `gap` is one whose rows are missing for good. */
export interface StoredLot {
  lot: number;
  token: string;
  state: 'ok' | 'gap';
}

/** Bucket widths in which facts are kept, finest first. */
export const TIER_NAMES = ['minute', 'half_hour'] as const;
export type TierName = (typeof TIER_NAMES)[number];

export interface RollupStep {
  /** The newest lot that the coarse tier has now; 0 for none. */
  watermark: number;
  /** Rows added to the coarse tier. */
  rows: number;
  /** Lots are left for another step. */
  more: boolean;
}

export interface MergeStep {
  /** Rows that the coarse tier has fewer. */
  saved: number;
  /** Something may be left for another step. */
  more: boolean;
}

/**
 * Facts that are in no tier though their lots are known: told so that nothing is silently small.
 *
 * - `not-kept`: the fact store was older than what the records store still kept; exact sums of whole lots.
 * - `rolled-off`: a cut took coarse rows of lots whose minutes retention had dropped; sums are the most it can be.
 * - `rebuilt`: the store was made anew from records, which know neither unattributed bytes nor what was pruned.
 */
export interface MissingFacts {
  reason: 'not-kept' | 'rolled-off' | 'rebuilt';
  firstLot: number;
  lastLot: number;
  /** Minutes since the epoch between which the facts lie, `to` exclusive. */
  from: number;
  to: number;
  download: number;
  upload: number;
}

/** What there is of one tier; buckets are minutes since the epoch, null when it is empty. */
export interface TierCoverage {
  first: number | null;
  last: number | null;
  rows: number;
  /** Retention keeps all that lies here or later; 0 while it has taken nothing. */
  wholeFrom: number;
}

export interface FactCoverage {
  /** The newest lot in the coarse tier: facts of younger lots are in minutes alone. */
  watermark: number;
  tiers: Record<TierName, TierCoverage>;
}

/** Most facts handed over at once: what the event loop can take in one turn without a stall that users notice. */
export const MAX_CHUNK = 1000;

/** What a statement is given; arrays become lists. Numbers must be integers. */
export type SqlValue =
  | string
  | number
  | boolean
  | bigint
  | null
  | readonly number[]
  | readonly (string | null)[];

/** A statement with `$1 … $n` in its text; no text of a user is ever part of `text`. */
export interface SqlQuery {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** Columns by name. 64-bit integers and sums come as bigint: convert them with a check. */
export type SqlRow = Readonly<Record<string, unknown>>;

export type RunQuery = (query: SqlQuery) => Promise<SqlRow[]>;

/** A column of a file that is not read from the store; texts that are no value of the type become null. */
export interface FileColumn {
  readonly name: string;
  /** `time`: RFC 3339. */
  readonly type: 'text' | 'integer' | 'boolean' | 'time';
}

/** A file that is gone when its export is closed. */
export interface ExportFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * What is too much for one answer, read piece by piece: all statements see one state of the store, and none can write.
 * One thing is done at a time. Whoever opens it closes it, whatever happened.
 */
export interface FactExport {
  run(query: SqlQuery): Promise<SqlRow[]>;
  /** Every row's one column, a BLOB, one after the other in pieces of about `size` bytes, read no faster than they are taken. */
  bytes(query: SqlQuery, size: number): AsyncGenerator<Uint8Array>;
  /** The rows as a Parquet file. Throws `disk_full` before the stores on that disk would have no space. */
  parquet(query: SqlQuery): Promise<ExportFile>;
  /** The same, of lines of JSON in pieces of any size. */
  parquetOf(lines: AsyncIterable<Uint8Array>, columns: readonly FileColumn[]): Promise<ExportFile>;
  /** Lets go of everything; what still runs ends first, so the signal is aborted before where nobody waits for it. */
  close(): Promise<void>;
}

export interface FactExporter {
  /**
   * Opens an export. It takes no slot of those that `read` has; how many there are at once is for the caller to bound.
   * An aborted signal interrupts the statement that runs, which throws its reason.
   */
  openExport(signal: AbortSignal): Promise<FactExport>;
}

export interface ReadOptions {
  /** Aborted: the running statement is interrupted and the read rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds from the call, waiting included; default 10 s. */
  timeoutMs?: number;
}

/**
 * Says that the next statements read about so many facts. Resolves when they may: questions that read many wait for each
 * other, so that one that reads few never waits for them. Rejects as `read` does.
 */
export type Admit = (facts: number) => Promise<void>;

export interface FactReader {
  /**
   * Answers questions. All statements that `work` runs see one state of the store, and none can write.
   *
   * Throws `too_many_requests` when too many wait already, `query_timeout` at the time limit, and
   * `query_too_large` when a statement needs more memory than there is; the store stays usable.
   */
  read<T>(work: (run: RunQuery, admit: Admit) => Promise<T>, options?: ReadOptions): Promise<T>;
}

/**
 * The facts that any engine keeps. One contract suite (`contract.ts`) runs against every implementation.
 *
 * Invariants: a lot is in the store wholly or not at all; appending a lot that is there (same number and token)
 * changes nothing; a lot of a number that is there under another token is a bug of the caller and throws.
 * Writing methods may be called at any time; they run one after the other, in the order of the calls.
 */
export interface FactStore extends Component, FactReader, FactExporter {
  /**
   * Identity of the records store that these facts belong to, null in a new store. `adopt` writes it once;
   * opening under another identity is refused (`file_foreign`), never merged.
   */
  adopt(storeId: string): Promise<void>;
  /** Lots present, newest first, at most `limit`, gaps included; only those numbered below `below` if given. */
  lots(limit: number, below?: number): Promise<StoredLot[]>;
  /**
   * Appends one lot atomically; `chunks` yields at most `MAX_CHUNK` facts at a time, `lot.rows` in all (other
   * counts throw, and nothing is stored). Returns false when the lot was there, as facts or as a gap. A lot below
   * the coarse tier's watermark would never get into that tier: it is a bug of the caller and throws.
   */
  append(lot: Lot, chunks: AsyncIterable<Fact[]> | Iterable<Fact[]>): Promise<boolean>;
  /**
   * Removes every trace of lots above `lot` in one transaction; returns how many facts that were. Idempotent. Half
   * hours that younger lots shared with remaining ones are to be rolled up again. `exact` is false when retention
   * dropped or merged rows up to a younger lot, so that remaining ones may not become what they were; what they lack
   * is then told by `missing`.
   */
  cutAbove(lot: number): Promise<{ removed: number; exact: boolean }>;
  /**
   * Takes the oldest lots that the coarse tier lacks into it, atomically: as many as have `maxRows` facts together, at
   * least one. Sums of both tiers are then equal to the byte for every half hour and dimension, and so is the count
   * of every interval with bounds on half hours. Repeated until nothing is left (`more`); with nothing left it
   * changes nothing.
   */
  rollUp(maxRows: number): Promise<RollupStep>;
  /** The newest lot that was in the coarse tier at an instant (epoch ms); 0 for none. */
  watermarkAt(instant: number): Promise<number>;
  /**
   * Drops facts of one tier in buckets before `bucket` that came with lots up to `lot`, atomically with the word of
   * it in `coverage`. Throws when the coarse tier lacks a lot up to `lot`: minutes are dropped when half hours have
   * them. Returns the number of rows; their space is free for others after `reclaim`.
   */
  dropBefore(tier: TierName, bucket: number, lot: number): Promise<number>;
  /**
   * Merges rows of the coarse tier that differ in nothing but the lot they came with, of lots up to `lot`: those of
   * the oldest hours before `bucket` that were not looked at, so many that flushes need not wait for long, and
   * atomically. Changes no sum and no count. Throws as `dropBefore` does.
   */
  mergeFragments(bucket: number, lot: number): Promise<MergeStep>;
  /** Bytes in use; free space within the store's files, which is used again, left out. */
  usedBytes(): Promise<number>;
  /** Gives the space of dropped facts free; false when that has to wait. */
  reclaim(): Promise<boolean>;
  /** Facts that are in no tier, oldest lots first; those of a time that is kept no longer are left out. */
  missing(): Promise<MissingFacts[]>;
  /** What each tier holds, and up to which lot they agree. */
  coverage(): Promise<FactCoverage>;
  /** Records lots as missing for good (rows no longer kept by the records store). Idempotent. */
  recordGap(lots: readonly Lot[]): Promise<void>;
  /**
   * Reads every column once; throws `file_damaged` when the file cannot be read whole, and the signal's reason when
   * it is aborted.
   */
  check(signal?: AbortSignal): Promise<void>;
  /** When `check` last found everything readable, epoch ms; 0 for never. */
  checkedAt(): Promise<number>;
}

/** A store that lies in files of this machine, which can be copied while it is used. */
export interface SnapshotSource {
  /**
   * Writes the store as it is at one moment into a new file; lots that were committed lately may be missing in it.
   * Reading goes on meanwhile, writing waits. `covered`: the store itself holds another copy of all that is in the
   * file, from which it recovers when it is damaged, so the records need not keep those lots for it any more.
   *
   * Throws `disk_full`, `file_unusable`, or the signal's reason; what was written of the file is the caller's to
   * remove.
   */
  snapshot(target: string, signal: AbortSignal): Promise<{ covered: boolean }>;
}
