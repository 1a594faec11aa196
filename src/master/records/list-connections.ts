import type { Sqlite } from '../../common/sqlite.ts';
import { storedId } from '../layout/record-writer.ts';
import { textNames } from '../layout/texts.ts';
import { entriesOf } from '../query/filter.ts';
import { ticking } from './cancellation.ts';
import { type Clause, joined } from './clause.ts';
import { type Columns, currentColumns, sortExpression } from './columns.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { NO_AGENT } from './dimension-values.ts';
import { OPEN, recordExpression } from './expression.ts';
import { RECORD_FILTERS } from './filters.ts';
import { NO_HINTS, type PlanHints, planHints } from './plan-hints.ts';
import {
  COUNT_CAP,
  type ConnectionsPage,
  type ConnectionsQuery,
  type NumberedRecord,
  type SelectedConnections,
} from './query.ts';
import { recordColumns, type StoredRow, toRecord } from './record.ts';

/** A row of a page, and where it stands in the order. */
interface PageRow extends StoredRow {
  sort_key: number;
  row_number: number;
}

/** Page and count from one state of the database. */
export function listConnections(db: Sqlite, query: ConnectionsQuery): ConnectionsPage {
  return db.transaction(() => {
    const columns = currentColumns(db);
    const hints = columns.indexed ? planHints(db, query) : NO_HINTS;
    const where = [...filterClauses(query, columns), ...timeClauses(query, columns, hints)];
    const rows = readPage(db, query, columns, hints, where);
    const page = rows.slice(0, query.limit);
    const last = rows.length > query.limit ? page.at(-1) : undefined;
    const names = textNames(db);
    return {
      records: page.map((row) => ({ num: row.num, record: toRecord(row, names) })),
      ...count(db, query, columns, where, rows.length),
      nextCursor:
        last === undefined
          ? null
          : encodeCursor(query.sortBy, query.order, { key: last.sort_key, row: last.row_number }),
    };
  })();
}

export function filterClauses(query: SelectedConnections, columns: Columns): Clause[] {
  const clauses = entriesOf(query.filters).map(([key, values]) =>
    joined(
      values.map((value) => RECORD_FILTERS[key](columns, value)),
      ' OR ',
    ),
  );
  if (query.state !== null) clauses.push({ sql: query.state === 'open' ? OPEN : `NOT ${OPEN}`, values: [] });
  if (query.counted !== null) clauses.push({ sql: 'c.counted = ?', values: [query.counted ? 1 : 0] });
  if (query.filter !== null) {
    clauses.push(recordExpression(query.filter, { columns, now: query.now, zone: query.zone }));
  }
  return clauses;
}

/**
 * Overlap with `[from, to)`. Three terms with an index each, in place of `max(updated, closed)`; a row of the
 * original's that waits for its import is over, though nobody closed it.
 */
export function timeClauses(query: SelectedConnections, columns: Columns, hints: PlanHints): Clause[] {
  const clauses: Clause[] = [];
  if (query.to !== null) clauses.push({ sql: `${hints.start}${columns.start} < ?`, values: [query.to] });
  if (query.from !== null) {
    clauses.push({
      sql: `(${columns.updated} >= ? OR c.closed_at >= ? OR (c.closed_at IS NULL AND c.imported IS NOT 0))`,
      values: [query.from, query.from],
    });
  }
  return clauses;
}

/** Rows of the page, and one more where there is one. */
function readPage(
  db: Sqlite,
  query: ConnectionsQuery,
  columns: Columns,
  hints: PlanHints,
  where: readonly Clause[],
): PageRow[] {
  const key = sortExpression(query.sortBy, columns);
  const { number } = columns;
  const direction = query.order === 'asc' ? 'ASC' : 'DESC';
  const clauses = [...where];
  if (query.cursor !== null) {
    const at = decodeCursor(query.cursor, query.sortBy, query.order);
    clauses.push({
      sql: `(${hints.key}${key}, ${number}) ${query.order === 'asc' ? '>' : '<'} (?, ?)`,
      values: [at.key, at.row],
    });
  }
  const place = `${key} AS sort_key, ${number} AS row_number`;
  const page = (
    selected: string,
  ) => `SELECT ${selected} FROM ${columns.from} WHERE ${conditions(columns, clauses)}
    ORDER BY ${hints.key}${key} ${direction}, ${number} ${direction} LIMIT ? OFFSET ?`;
  // Rows that are sorted carry nothing but their place: what is shown is read of those of the page.
  const sql = columns.indexed
    ? `SELECT ${recordColumns(columns)}, p.* FROM (${page(place)}) p CROSS JOIN ${columns.from} ON ${number} = p.row_number
       ORDER BY p.sort_key ${direction}, p.row_number ${direction}`
    : page(`${recordColumns(columns)}, ${place}`);
  const values = [...clauses.flatMap((clause) => clause.values), query.limit + 1, query.offset];
  return db.prepare(sql).all(...values) as PageRow[];
}

/** Counts only when the page does not show it already: a rare value would be searched for twice. */
function count(
  db: Sqlite,
  query: ConnectionsQuery,
  columns: Columns,
  where: readonly Clause[],
  seen: number,
): { total: number; capped: boolean } {
  if (query.cursor === null && seen <= query.limit && (seen > 0 || query.offset === 0)) {
    return { total: query.offset + seen, capped: false };
  }
  const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM ${columns.from} WHERE ${conditions(columns, where)} LIMIT ${COUNT_CAP + 1})`;
  const { n } = db.prepare(sql).get(...where.flatMap((clause) => clause.values)) as { n: number };
  return { total: Math.min(n, COUNT_CAP), capped: n > COUNT_CAP };
}

export function conditions(columns: Columns, clauses: readonly Clause[]): string {
  // First, for terms are tried in this order and the rest is skipped once one fails.
  return [ticking(columns.number), ...clauses.map((clause) => clause.sql)].join(' AND ');
}

/** One record by its key. */
export function findConnection(db: Sqlite, agentId: string, id: string): NumberedRecord | null {
  return db.transaction(() => {
    const columns = currentColumns(db);
    const sql = `SELECT ${recordColumns(columns)} FROM ${columns.from}
      WHERE c.id = ? AND ifnull(${columns.agent}, '${NO_AGENT}') = ?`;
    const row = db.prepare(sql).get(columns.indexed ? storedId(id) : id, agentId) as StoredRow | undefined;
    return row === undefined ? null : { num: row.num, record: toRecord(row, textNames(db)) };
  })();
}
