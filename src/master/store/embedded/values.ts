import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { SqlValue } from '../store.ts';
import type { DuckDB } from './native.ts';

const INT32 = 2 ** 31;

/**
 * Parameters with the types that DuckDB shall see. Left to itself it reads a JS number as a floating one, and a
 * BigInt as HUGEINT, for which `range()` has no overload.
 */
export function bindValues(
  duckdb: DuckDB,
  values: readonly SqlValue[],
): { values: DuckDBValue[]; types: DuckDBType[] } {
  const bound = values.map((value) => bind(duckdb, value));
  return { values: bound.map(([value]) => value), types: bound.map(([, type]) => type) };
}

function bind(duckdb: DuckDB, value: SqlValue): [DuckDBValue, DuckDBType] {
  if (value === null) return [null, duckdb.SQLNULL];
  if (typeof value === 'string') return [value, duckdb.VARCHAR];
  if (typeof value === 'boolean') return [value, duckdb.BOOLEAN];
  if (typeof value === 'bigint') return [value, value < 0n ? duckdb.HUGEINT : duckdb.UHUGEINT];
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new Error(`a parameter must be an integer, not ${value}`);
    return Math.abs(value) < INT32 ? [value, duckdb.INTEGER] : [BigInt(value), duckdb.BIGINT];
  }
  const type = value.some((item) => typeof item === 'string') ? duckdb.VARCHAR : duckdb.INTEGER;
  return [duckdb.listValue([...value]), duckdb.LIST(type)];
}
