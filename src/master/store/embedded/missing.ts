import type { DuckDBConnection } from '@duckdb/node-api';
import { missingOf, missingQuery } from '../missing.ts';
import type { MissingFacts } from '../store.ts';
import { wholeFromKey } from './coverage.ts';
import { metaNumber } from './meta.ts';

/** As the writer sees it, who tells readiness: a question may have to wait for others. */
export async function missingFacts(connection: DuckDBConnection): Promise<MissingFacts[]> {
  const kept = await metaNumber(connection, wholeFromKey('half_hour'));
  const found = await connection.runAndReadAll(missingQuery(kept).text, [kept]);
  return found.getRowObjects().map(missingOf);
}
