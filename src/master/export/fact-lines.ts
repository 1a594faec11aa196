import { csvLine, FORMULA, SPECIAL } from '../../domain/csv.ts';
import type { ExportFormat } from '../../domain/export.ts';
import { listed, type Sql, sql } from '../query/sql.ts';
import type { FileColumn } from '../store/store.ts';

export type LineFormat = Exclude<ExportFormat, 'parquet'>;

/** A column of the rows; `value` is its name. Times are minutes since the epoch. */
export interface LineColumn extends FileColumn {
  readonly value: Sql;
}

/** What JSON does not have in a text as it is; as RE2 reads it. */
const ESCAPED = String.raw`["\\\x00-\x1f]`;

/**
 * Rows as lines of text, `line` of each a BLOB: what `csvLine` would make of them, or `ndjsonText`. The store writes
 * them itself, for a row of JavaScript's values takes several times its text in memory, and keeps the thread that
 * answers everybody else busy.
 */
export function lineStatement(rows: Sql, columns: readonly LineColumn[], format: LineFormat): Sql {
  const line =
    format === 'csv'
      ? sql`concat_ws(',', ${listed(columns.map(csvCell))}) || chr(13) || chr(10)`
      : sql`concat(${listed(columns.map(jsonMember))}, '}', chr(10))`;
  return sql`SELECT encode(${line}) AS line FROM (${rows})`;
}

/** The head of the table, where the format has one. */
export function headOf(columns: readonly FileColumn[], format: LineFormat): Uint8Array[] {
  return format === 'csv' ? [Buffer.from(csvLine(columns.map(({ name }) => name)))] : [];
}

/** Never NULL, which would leave its comma out. */
function csvCell({ type, value }: LineColumn): Sql {
  if (type === 'time') return sql`coalesce(${timeText(value)}, '')`;
  if (type !== 'text') return sql`coalesce(${value}::VARCHAR, '')`;
  const safe = sql`CASE WHEN regexp_matches(${value}, ${FORMULA.source}) THEN '''' || ${value} ELSE ${value} END`;
  const text = sql`replace(${safe}, chr(0), chr(65533))`;
  return sql`coalesce(CASE WHEN regexp_matches(${value}, ${SPECIAL.source})
    THEN '"' || replace(${text}, '"', '""') || '"' ELSE ${text} END, '')`;
}

/** `to_json` of a whole row would take memory for a tree of it, in every thread. */
function jsonMember({ name, type, value }: LineColumn, index: number): Sql {
  const head = `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`;
  return sql`${head}, coalesce(${jsonValue(type, value)}, 'null')`;
}

function jsonValue(type: LineColumn['type'], value: Sql): Sql {
  if (type === 'time') return sql`'"' || ${timeText(value)} || '"'`;
  if (type !== 'text') return sql`${value}::VARCHAR`;
  return sql`CASE WHEN regexp_matches(${value}, ${ESCAPED}) THEN to_json(${value})::VARCHAR ELSE '"' || ${value} || '"' END`;
}

/** As `formatTime` has it. */
function timeText(minute: Sql): Sql {
  return sql`strftime(make_timestamp(${minute}::BIGINT * 60000000), '%Y-%m-%dT%H:%M:%S.000Z')`;
}
