import type { FileColumn } from '../store/store.ts';

/** A value of an exported row; times are RFC 3339 in UTC, null is no value. */
export type Cell = string | number | bigint | boolean | null;
export type Row = readonly Cell[];

/** Rows on their way out, a few thousand at a time, read no faster than they are taken. */
export interface Table {
  readonly columns: readonly FileColumn[];
  readonly rows: AsyncIterable<readonly Row[]>;
}
