import type { Bytes, ConnectionFields } from '../../domain/connection.ts';

/** Samples of one connection that wait for a journal that cannot be written (A10). */
const MAX_PENDING = 480;

/** A sample that waits for its flush: absolute counters at the end of a minute. */
export interface PendingSample {
  minute: number;
  download: number;
  upload: number;
  /** How much of them is recovered, cumulative too. */
  recoveredDownload: number;
  recoveredUpload: number;
}

/**
 * What the books know of one connection. Counters are the core's plus `carried`, so that they never fall even if
 * the core's do (A2).
 */
export interface BookEntry {
  readonly fields: ConnectionFields;
  readonly counted: boolean;
  /** Number of the row in the journal; 0 until it was flushed for the first time. */
  key: number;
  /** Counters at the first attach (A4), history from before the tracker. */
  readonly base: Bytes;
  counter: Bytes;
  carried: Bytes;
  recovered: Bytes;
  /** Newest minute that has a sample. */
  minute: number;
  /** Epoch ms of the agent's clock, null while the core lists it. */
  closedAt: number | null;
  /** The minute whose sample the counters are while the journal has no row of it; null when it has all. */
  unsaved: number | null;
  /** Samples of minutes before that one without a row, too, in the order in which they came to be. */
  older: PendingSample[];
}

/** Most entries never have any. */
const NONE: PendingSample[] = [];
Object.freeze(NONE);

export function newEntry(fields: ConnectionFields, counted: boolean, base: Bytes): BookEntry {
  return {
    fields,
    counted,
    key: 0,
    base,
    counter: { ...base },
    carried: { download: 0, upload: 0 },
    recovered: { download: 0, upload: 0 },
    minute: 0,
    closedAt: null,
    unsaved: null,
    older: NONE,
  };
}

/**
 * Says that the counters are about to become the sample of `minute`; to be called before they grow. True when the
 * entry had nothing to commit until now. With thousands of connections a sample may cost no object: within its
 * minute it is the counters themselves.
 */
export function beginSample(entry: BookEntry, minute: number): boolean {
  const before = entry.unsaved;
  if (before === minute) return false;
  if (before !== null) keepOlder(entry, before);
  entry.unsaved = minute;
  if (minute > entry.minute) entry.minute = minute;
  return before === null;
}

function keepOlder(entry: BookEntry, minute: number): void {
  if (entry.older === NONE) entry.older = [];
  entry.older.push(sampleOf(entry, minute));
  const length = entry.older.length + 1;
  // Counters are absolute: without every other sample minutes are coarser and sums the same.
  if (length > MAX_PENDING) entry.older = entry.older.filter((_, i) => (length - i) % 2 === 1);
}

function sampleOf({ counter, recovered }: BookEntry, minute: number): PendingSample {
  return {
    minute,
    download: counter.download,
    upload: counter.upload,
    recoveredDownload: recovered.download,
    recoveredUpload: recovered.upload,
  };
}

/** All samples that are not committed, in the order in which they came to be. */
export function pendingSamples(entry: BookEntry): PendingSample[] {
  return entry.unsaved === null ? [] : [...entry.older, sampleOf(entry, entry.unsaved)];
}

/** The journal has them as rows. */
export function samplesCommitted(entry: BookEntry): void {
  entry.unsaved = null;
  entry.older = NONE;
}

/** The journal has those of minutes before as rows, and the counters of the running minute. */
export function olderCommitted(entry: BookEntry): void {
  entry.older = NONE;
}

/**
 * Whether the sample of the running minute may stay with the counters: it is not final, and nothing but a crash asks for
 * it before its minute ends. What closed has no later moment to be written.
 */
export function isRunning(entry: BookEntry, minute: number | null): boolean {
  return entry.unsaved === minute && minute !== null && entry.closedAt === null;
}
