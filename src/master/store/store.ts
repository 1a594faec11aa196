import type { Component } from '../../common/component.ts';
import type { ConnectionFields } from '../../domain/connection.ts';

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
  fields: ConnectionFields | null;
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

/**
 * The facts that any engine keeps. One contract suite (`contract.ts`) runs against every implementation.
 *
 * Invariants: a lot is in the store wholly or not at all; appending a lot that is there (same number and token)
 * changes nothing; a lot of a number that is there under another token is a bug of the caller and throws.
 */
export interface FactStore extends Component {
  /**
   * Identity of the records store that these facts belong to, null in a new store. `adopt` writes it once;
   * opening under another identity is refused (`file_foreign`), never merged.
   */
  adopt(storeId: string): Promise<void>;
  /** Lots present, newest first, at most `limit`, gaps included. */
  lots(limit: number): Promise<{ lot: number; token: string; state: 'ok' | 'gap' }[]>;
  /** Appends one lot atomically; `chunks` yields at most 1,000 facts at a time. Returns false when it was there. */
  append(lot: Lot, chunks: AsyncIterable<Fact[]> | Iterable<Fact[]>): Promise<boolean>;
  /** Removes every trace of lots above `lot` in one transaction. Idempotent. */
  cutAbove(lot: number): Promise<{ removed: number; exact: boolean }>;
  /** Records lots as missing for good (rows no longer kept by the records store). Idempotent. */
  recordGap(lots: Lot[]): Promise<void>;
  /** Reads every column once; throws `file_damaged` when the file cannot be read whole. */
  check(): Promise<void>;
}
