import { DICTIONARIES, LOT_TABLES, quoted } from './schema.ts';

/**
 * One statement per table that reads every value of every column: damage in the middle of a file shows only when
 * the damaged column is read, for opening and counting rows touch none.
 */
export function readEverything(
  tables: readonly string[] = ['meta', ...DICTIONARIES, ...LOT_TABLES],
): string[] {
  return tables.map((table) => `SELECT count(*), bit_xor(hash(COLUMNS(*))) FROM ${quoted(table)}`);
}

/** Names of the tables that a file has, whichever version of this program made it. */
export const TABLE_NAMES = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'";

/** Statements that read what says where all columns lie, and none of the columns: some milliseconds for any size. */
export function readStructure(tables: readonly string[]): string[] {
  return tables.map((table) => `SELECT count(*) FROM pragma_storage_info('${table.replaceAll("'", "''")}')`);
}
