import type { DuckDBConnection } from '@duckdb/node-api';

/** A text under a key of the table `meta`, undefined when it was never put. */
export async function metaText(connection: DuckDBConnection, key: string): Promise<string | undefined> {
  const found = await connection.runAndReadAll('SELECT value FROM meta WHERE key = $1', [key]);
  const value = found.getColumns()[0]?.[0];
  return value === undefined ? undefined : String(value);
}

/** The same as a number; 0 when it was never put. */
export async function metaNumber(connection: DuckDBConnection, key: string): Promise<number> {
  return Number((await metaText(connection, key)) ?? 0);
}

/** To be run inside a transaction, with what the value says. */
export async function putMeta(
  connection: DuckDBConnection,
  key: string,
  value: string | number,
): Promise<void> {
  await connection.run('DELETE FROM meta WHERE key = $1', [key]);
  await connection.run('INSERT INTO meta (key, value) VALUES ($1, $2)', [key, String(value)]);
}
