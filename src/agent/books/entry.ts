import type { Bytes, ConnectionFields } from '../../domain/connection.ts';

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
  /** Samples not yet committed, oldest minute first; the last one is overwritten within its minute. */
  pending: PendingSample[];
}

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
    pending: [],
  };
}
