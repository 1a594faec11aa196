import type { LongTask } from '../../common/progress.ts';
import type { Fact, Lot } from './store.ts';

/** What a records store can say of facts that are lost. */
export interface RecordsSource {
  storeId(): string;
  /** Size of what is read, for progress. */
  bytes(): number;
  /** Lots whose rows are no longer kept, oldest first: what they held is made anew. At most `MAX_CHUNK` at a time. */
  lots(): Iterable<Lot[]>;
  /**
   * Facts made of records, at most `MAX_CHUNK` at a time, and how much was read for them so far: without what is in
   * lots that are still kept, each connection's in order and no two in one half hour, all of them recovered.
   */
  facts(): Iterable<{ facts: Fact[]; bytes: number }>;
}

export interface Rebuilt {
  /** Rows of half hours. */
  rows: number;
  download: bigint;
  upload: bigint;
  /** Lots that they stand for. */
  lots: number;
  /** What those lots held beyond: unattributed bytes, and connections of which no record is kept. */
  missing: { download: bigint; upload: bigint };
}

/**
 * Makes a new file of facts at a path where none is. When it is interrupted or fails, what was written is the caller's
 * to remove. The store begins as one would that was restored from a copy of just after the last lot that is not kept:
 * half hours alone, and all later lots are flushed to it at the next start.
 */
export type RebuildFacts = (path: string, source: RecordsSource, task: LongTask) => Promise<Rebuilt>;

/** What is done with a file of facts at rest. */
export interface FactsEngine {
  /**
   * Whether a master could go on with the file: opens it as a master would, its last good copy in its place if need
   * be, and reads every column. Throws `file_newer`, `file_foreign`, `file_in_use` or `file_unusable`.
   */
  isReadable(path: string, task: LongTask): Promise<boolean>;
  rebuild: RebuildFacts;
}
