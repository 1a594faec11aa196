import type { FileDigest } from '../../common/durable-files.ts';
import type { LongTask } from '../../common/progress.ts';

/** Sums of a table of facts as decimal text, exact at any size. */
export interface TableSums {
  rows: string;
  download: string;
  upload: string;
  /** Connections that the rows count (`conns`). */
  connections: string;
}

/** What a file of facts holds. */
export interface FactsSummary extends FileDigest {
  /** The records store that the facts belong to; null where none was ever joined to them. */
  storeId: string | null;
  schema: number;
  lots: number;
  newest: { lot: number; token: string } | null;
  tables: Record<string, TableSums>;
}

/** Bytes of a file before and after, and how many entries of each dictionary went because no fact uses them. */
export interface CompactedFacts {
  before: number;
  after: number;
  dropped: Record<string, number>;
}

/**
 * A fact store at rest, as a file. Nobody may have it open, this process least of all. All work is done in a child
 * process. Throws `file_newer`, `file_foreign`, `file_damaged`, `file_in_use` or `file_unusable`.
 */
export interface FactFiles {
  /** What stands beside the file and belongs to it: the endings of their names. The file's own, '', comes first. */
  readonly endings: readonly string[];
  /** Copies a file to a new one that holds what its log holds, too. The file itself is not changed. */
  copy(path: string, target: string, task: LongTask): Promise<void>;
  /** Reads every value of every column, and then the bytes of the file. Changes nothing. */
  inspect(path: string, task: LongTask): Promise<FactsSummary>;
  /** The records store that a file belongs to, null where there is none. Changes nothing. */
  ownerOf(path: string, task: LongTask): Promise<string | null>;
  /**
   * Writes what a file holds into a new, smaller one, whose content was read back and compared. The file itself keeps
   * its content; its log is joined to it.
   */
  compact(path: string, target: string, task: LongTask): Promise<CompactedFacts>;
}
