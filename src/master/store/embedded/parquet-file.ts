import { loadDuckDB } from './native.ts';

/** Rows of a Parquet file in pieces, the first of which has none and tells the names of the columns of any file. */
export async function* readParquet(
  path: string,
): AsyncGenerator<{ names: readonly string[]; rows: readonly Readonly<Record<string, unknown>>[] }> {
  const duckdb = await loadDuckDB();
  const instance = await duckdb.DuckDBInstance.create(':memory:', { memory_limit: '256MB', threads: '1' });
  const connection = await instance.connect();
  try {
    const result = await connection.stream('SELECT * FROM read_parquet($1)', [path]);
    const names = result.columnNames();
    yield { names, rows: [] };
    for await (const rows of result.yieldRowObjectJs()) yield { names, rows };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
