import type { Sqlite } from '../../common/sqlite.ts';
import type { ConnectionSortKey } from './query.ts';

/** How the times of a record are read. */
export interface Columns {
  /** Times are numbers with an index. */
  readonly indexed: boolean;
  readonly start: string;
  readonly updated: string;
}

/** All rows have their times as numbers, which are indexed. */
export const SETTLED: Columns = { indexed: true, start: 'c.start_ms', updated: 'c.updated_ms' };

const fromText = (column: string): string => `CAST(unixepoch(${column}, 'subsec') * 1000 AS INTEGER)`;
/** Rows of the original's have them as text until they are imported. */
const IMPORTING: Columns = {
  indexed: false,
  start: `coalesce(c.start_ms, ${fromText('c.start')}, ${fromText('c.last_updated')}, 0)`,
  updated: `coalesce(c.updated_ms, ${fromText('c.last_updated')}, ${fromText('c.start')}, 0)`,
};

/** Which of the two holds now; the partial index `connections_import` answers at once. */
export function currentColumns(db: Sqlite): Columns {
  const waiting = db.prepare('SELECT 1 FROM connections WHERE imported = 0 LIMIT 1').get();
  return waiting === undefined ? SETTLED : IMPORTING;
}

/** The expression to sort by. Times have an index once all rows are imported; sums of bytes have none. */
export function sortExpression(sortBy: ConnectionSortKey, columns: Columns): string {
  switch (sortBy) {
    case 'start':
      return columns.start;
    case 'last_updated':
      return columns.updated;
    case 'download':
      return 'ifnull(c.conn_download, 0)';
    case 'upload':
      return 'ifnull(c.conn_upload, 0)';
    case 'total':
      return '(ifnull(c.conn_download, 0) + ifnull(c.conn_upload, 0))';
  }
}
