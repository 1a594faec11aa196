import type { DuckDBConnection } from '@duckdb/node-api';
import { CodedError } from '../../../common/errors.ts';
import { TABLE_NAMES } from './check-file.ts';
import { COARSE_TIER, freshSchema } from './schema.ts';
import { transaction } from './transaction.ts';

/** One step of the schema: statements that bring a store of version `to - 1` to `to`. */
export interface FactMigration {
  readonly to: number;
  readonly statements: readonly string[];
}

export const MIGRATIONS: readonly FactMigration[] = [{ to: 2, statements: COARSE_TIER }];

/** Whose file it is: `empty` has no tables, `foreign` has tables but is none of ours. */
export type FileKind = 'empty' | 'foreign' | { version: number };

/** Reads without changing anything, so that a file that is refused stays as it was. */
export async function identify(connection: DuckDBConnection): Promise<FileKind> {
  const tables = await connection.runAndReadAll(TABLE_NAMES);
  const names = tables.getColumns()[0] ?? [];
  if (names.length === 0) return 'empty';
  if (!names.includes('meta') || !names.includes('lots')) return 'foreign';
  const meta = await connection.runAndReadAll("SELECT value FROM meta WHERE key = 'schema_version'");
  const version = Number(meta.getColumns()[0]?.[0]);
  return Number.isInteger(version) && version > 0 ? { version } : 'foreign';
}

export function refuseUnknown(kind: FileKind, path: string, newest: number): void {
  if (kind === 'foreign') {
    throw new CodedError('file_foreign', `${path} is a DuckDB file of something else, not a facts file`);
  }
  if (kind !== 'empty' && kind.version > newest) {
    throw new CodedError(
      'file_newer',
      `the facts file ${path} has schema version ${kind.version}; this program knows up to ${newest}`,
    );
  }
}

/** Creates or brings up the schema; each step is done wholly or not at all. */
export async function migrate(
  connection: DuckDBConnection,
  kind: Exclude<FileKind, 'foreign'>,
  migrations: readonly FactMigration[] = MIGRATIONS,
): Promise<void> {
  if (kind === 'empty') {
    await transaction(connection, () => runAll(connection, freshSchema()));
    return;
  }
  for (const step of migrations) {
    if (step.to <= kind.version) continue;
    const mark = `UPDATE meta SET value = '${step.to}' WHERE key = 'schema_version'`;
    await transaction(connection, () => runAll(connection, [...step.statements, mark]));
  }
}

async function runAll(connection: DuckDBConnection, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await connection.run(statement);
}
