import type * as duckdb from '@duckdb/node-api';
import { CodedError } from '../../../common/errors.ts';

export type DuckDB = typeof duckdb;

/**
 * Loads DuckDB's native build when a store is opened, never before: on platforms without one the program must
 * still start, as an agent or to say what is missing.
 */
export async function loadDuckDB(
  load: () => Promise<DuckDB> = () => import('@duckdb/node-api'),
): Promise<DuckDB> {
  try {
    return await load();
  } catch (error) {
    throw new CodedError(
      'duckdb_missing',
      `DuckDB could not be loaded on ${process.platform}-${process.arch}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
