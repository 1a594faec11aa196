import type { DuckDBConnection } from '@duckdb/node-api';
import type { Dictionary } from '../../../domain/dimensions.ts';
import { DICTIONARY_KEYS } from '../../../domain/fact-columns.ts';
import { DERIVED_COLUMNS, type DerivedColumn } from '../dictionary-values.ts';
import {
  ALL_FACT_TABLES,
  DICTIONARIES,
  DIMENSION_COLUMNS,
  type DimensionColumn,
  declared,
  quoted,
} from './schema.ts';
import { transaction } from './transaction.ts';

/** A column that the dimension table has and a file has not yet. */
export type MissingColumn =
  | { readonly table: string; readonly column: DimensionColumn; readonly of: 'facts' }
  | { readonly table: Dictionary; readonly column: DerivedColumn; readonly of: 'dictionary' };

const PRESENT = `SELECT table_name, column_name, data_type FROM duckdb_columns()
  WHERE schema_name = 'main' AND database_name = current_database() AND NOT internal`;

/** What a file of this schema version lacks of the dimension table. Throws where a column has another type than it. */
export async function missingColumns(connection: DuckDBConnection): Promise<MissingColumn[]> {
  const found = await connection.runAndReadAll(PRESENT);
  const types = new Map(found.getRows().map(([table, column, type]) => [`${table} ${column}`, String(type)]));
  const isMissing = (table: string, { name, sql }: { name: string; sql: string }): boolean => {
    const type = types.get(`${table} ${name}`);
    if (type !== undefined && type !== sql) {
      throw new Error(`${table}.${name} is ${type}, not ${sql}: a column that changes needs a migration`);
    }
    return type === undefined;
  };
  return [
    ...ALL_FACT_TABLES.flatMap((table) =>
      DIMENSION_COLUMNS.filter((column) => isMissing(table, column)).map(
        (column): MissingColumn => ({ table, column, of: 'facts' }),
      ),
    ),
    ...DICTIONARIES.flatMap((table) =>
      DERIVED_COLUMNS[table]
        .filter((column) => isMissing(table, column))
        .map((column): MissingColumn => ({ table, column, of: 'dictionary' })),
    ),
  ];
}

/**
 * Gives a file what the dimension table has got since it was made, all or nothing. Facts that are there say nothing by a
 * new column: half hours no longer know whose they were, and both tiers must say the same. Entries of dictionaries have it
 * at once, for it follows from what they hold. This is no step of the schema, so an earlier program may go on with the file: what it does not
 * know it leaves at its default.
 */
export async function completeColumns(connection: DuckDBConnection): Promise<void> {
  const missing = await missingColumns(connection);
  if (missing.length === 0) return;
  await transaction(connection, async () => {
    for (const { table, column, of } of missing) {
      if (of === 'facts') {
        const { name, sql } = declared(column);
        await connection.run(`ALTER TABLE ${quoted(table)} ADD COLUMN ${quoted(name)} ${sql}`);
      } else await addDerived(connection, table, column);
    }
  });
}

/** Entries that are derived at once: a dictionary has some ten thousand of them. */
const CHUNK = 2048;

async function addDerived(
  connection: DuckDBConnection,
  dictionary: Dictionary,
  column: DerivedColumn,
): Promise<void> {
  const keys = DICTIONARY_KEYS[dictionary].map(quoted).join(', ');
  const entries = await connection.runAndReadAll(`SELECT id, ${keys} FROM ${dictionary} ORDER BY id`);
  await connection.run(`ALTER TABLE ${dictionary} ADD COLUMN ${quoted(column.name)} ${column.sql}`);
  await connection.run(`CREATE OR REPLACE TEMP TABLE derived (id INTEGER, value ${column.sql})`);
  const appender = await connection.createAppender('derived');
  for (const [at, [id, ...texts]] of entries.getRows().entries()) {
    appender.appendInteger(Number(id));
    const value = column.derive(texts.map(String));
    if (value === null) appender.appendNull();
    else if (typeof value === 'bigint') appender.appendUHugeInt(value);
    else appender.appendVarchar(value);
    appender.endRow();
    if (at % CHUNK === CHUNK - 1) await new Promise(setImmediate);
  }
  appender.closeSync();
  await connection.run(
    `UPDATE ${dictionary} SET ${quoted(column.name)} = value FROM derived WHERE derived.id = ${dictionary}.id`,
  );
  await connection.run('DROP TABLE derived');
}
