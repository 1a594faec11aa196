import { DIMENSIONS, type Dimension } from '../../domain/dimensions.ts';
import type { ExportFormat } from '../../domain/export.ts';
import { FACT_COLUMNS } from '../../domain/fact-columns.ts';
import { mentionsOnly } from '../../domain/filter/names.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import { expression } from '../query/expression.ts';
import { entryAlias, listed, named, type Sql, sql } from '../query/sql.ts';
import type { View } from '../query/view.ts';
import { type LineColumn, lineStatement } from './fact-lines.ts';

/** Columns of exported facts, in the order in which the statement has them. */
export const FACT_EXPORT_COLUMNS: readonly LineColumn[] = [
  { name: 'bucket', type: 'time', value: sql`bucket` },
  { name: 'previous', type: 'time', value: sql`previous` },
  { name: 'tier', type: 'text', value: sql`tier` },
  { name: 'kind', type: 'text', value: sql`kind` },
  ...DIMENSIONS.map(
    ({ name, type }): LineColumn => ({
      name,
      type: type === 'number' ? 'integer' : 'text',
      value: named(name),
    }),
  ),
  { name: 'recovered', type: 'boolean', value: sql`recovered` },
  { name: 'download', type: 'integer', value: sql`download` },
  { name: 'upload', type: 'integer', value: sql`upload` },
  { name: 'connections', type: 'integer', value: sql`connections` },
];

/** A join for each column of a fact that holds an id. */
const JOINS = FACT_COLUMNS.flatMap(({ name, dictionary }) => {
  if (dictionary === undefined) return [];
  const alias = named(entryAlias(name));
  return [sql`JOIN ${named(dictionary)} AS ${alias} ON f.${named(name)} = ${alias}.id`];
});
const KINDS = sql`CASE f.kind WHEN 0 THEN 'counted' WHEN 1 THEN 'overlay' ELSE 'unattributed' END`;

export interface FactSelection {
  readonly view: Pick<View, 'source' | 'ranges' | 'clock'>;
  readonly filter: Filter | null;
}

/** Rows that the store writes into a file, or lines of text as `FactExport.bytes` takes them. */
export function factStatement(selection: FactSelection, format: ExportFormat): Sql {
  if (format === 'parquet') return rowsOf(selection, (minute) => sql`to_timestamp(${minute}::BIGINT * 60)`);
  const rows = rowsOf(selection, (minute) => minute);
  return lineStatement(rows, FACT_EXPORT_COLUMNS, format);
}

/**
 * Every fact of an interval that passes the filter, each with the texts of its dimensions. Unattributed facts have none:
 * they are there where the filter asks for no more than agent and time.
 */
function rowsOf({ view, filter }: FactSelection, time: (minute: Sql) => Sql): Sql {
  const { source, clock, ranges } = view;
  const [{ from, to }] = ranges;
  const tests = [sql`bucket >= ${from}`, sql`bucket < ${to}`];
  if (filter !== null) {
    tests.push(expression(filter, clock.hourOfWeek));
    if (!mentionsOnly(filter, ['agent', 'hour_of_week'])) tests.push(sql`kind <> 2`);
  }
  const columns = [
    sql`${time(sql`f.bucket`)} AS bucket`,
    sql`CASE WHEN f.prev > 0 THEN ${time(sql`f.prev`)} END AS previous`,
    sql`${source.tier} AS tier`,
    sql`${KINDS} AS kind`,
    ...DIMENSIONS.map((dimension) => sql`${textOfEntry(dimension)} AS ${named(dimension.name)}`),
    sql`f.recovered AS recovered`,
    sql`f.down AS download`,
    sql`f.up AS upload`,
    sql`f.conns AS connections`,
  ];
  return sql`SELECT ${listed(columns)} FROM (SELECT * FROM (
    SELECT 0::UTINYINT AS kind, * FROM ${source.counted} UNION ALL BY NAME SELECT * FROM ${source.aside})
    WHERE ${listed(tests, ' AND ')}) AS f ${listed(JOINS, ' ')}`;
}

function textOfEntry({ column, entry }: Dimension): Sql {
  if (entry === undefined) return sql`f.${named(column)}`;
  return sql`${named(entryAlias(column))}.${named(entry)}`;
}
