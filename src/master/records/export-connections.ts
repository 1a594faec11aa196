import type { Sqlite } from '../../common/sqlite.ts';
import { DESCRIPTIVE_FIELDS } from '../../domain/connection.ts';
import { type TextNames, textNames } from '../layout/texts.ts';
import type { FileColumn } from '../store/store.ts';
import { type Columns, currentColumns } from './columns.ts';
import { conditions, filterClauses, timeClauses } from './list-connections.ts';
import { NO_HINTS } from './plan-hints.ts';
import type { ExportedRecords, ExportPart, SelectedConnections } from './query.ts';
import { recordColumns, type StoredRow, toRecord } from './record.ts';

/** Rows looked at in one part: some 50 ms, for which a list may have to wait. */
const LOOKED_AT = 20_000;
/** Rows of one part: as many as cross to the other thread in some milliseconds. */
const TAKEN = 1000;

/**
 * What an exported record holds: that of `/connections`, and beside it what a booking of the same bytes elsewhere needs
 * (`docs/exports.md`): what its counters stood at when it was first seen, and how much of them was recovered.
 */
export const EXPORTED_COLUMNS = [
  { name: 'id', type: 'text' },
  { name: 'agent_id', type: 'text' },
  { name: 'start', type: 'time' },
  { name: 'last_updated', type: 'time' },
  { name: 'closed_at', type: 'time' },
  { name: 'download', type: 'integer' },
  { name: 'upload', type: 'integer' },
  { name: 'base_download', type: 'integer' },
  { name: 'base_upload', type: 'integer' },
  { name: 'recovered_download', type: 'integer' },
  { name: 'recovered_upload', type: 'integer' },
  { name: 'counted', type: 'boolean' },
  ...DESCRIPTIVE_FIELDS.map(({ name, type }) => ({ name, type })),
] as const satisfies readonly FileColumn[];

/** Rows of the original's that wait for their import have none of these. */
const BEYOND = `ifnull(c.base_down, 0) AS base_download, ifnull(c.base_up, 0) AS base_upload,
  ifnull(c.recovered_down, 0) AS recovered_download, ifnull(c.recovered_up, 0) AS recovered_upload`;

interface ExportedRow extends StoredRow {
  row_number: number;
}

export function exportConnections(
  db: Sqlite,
  query: SelectedConnections,
  given: ExportPart | null,
): ExportedRecords {
  return db.transaction(() => {
    const columns = currentColumns(db);
    const part = given ?? wholeFile(db, columns);
    const last = Math.min(part.until, part.after + LOOKED_AT);
    const where = [
      { sql: `${columns.number} > ? AND ${columns.number} <= ?`, values: [part.after, last] },
      ...filterClauses(query, columns),
      ...timeClauses(query, columns, NO_HINTS),
    ];
    const found = db
      .prepare(
        `SELECT ${recordColumns(columns)}, ${BEYOND}, ${columns.number} AS row_number FROM ${columns.from}
         WHERE ${conditions(columns, where)} ORDER BY ${columns.number} LIMIT ${TAKEN}`,
      )
      .all(...where.flatMap(({ values }) => values)) as ExportedRow[];
    const names = textNames(db);
    const after = found.length < TAKEN ? last : (found.at(-1)?.row_number ?? last);
    return {
      rows: found.map((row) => cellsOf(row, names)),
      next: after >= part.until ? null : { after, until: part.until },
    };
  })();
}

function wholeFile(db: Sqlite, { from, number }: Columns): ExportPart {
  const { first, last } = db
    .prepare(
      `SELECT (SELECT min(${number}) FROM ${from}) AS first, (SELECT max(${number}) FROM ${from}) AS last`,
    )
    .get() as { first: number | null; last: number | null };
  return { after: (first ?? 1) - 1, until: last ?? 0 };
}

function cellsOf(row: StoredRow, names: TextNames): ExportedRecords['rows'][number] {
  const values = { ...row, ...toRecord(row, names) } as Record<string, string | number | boolean | null>;
  return EXPORTED_COLUMNS.map(({ name }) => values[name] ?? null);
}
