import type { DuckDBConnection } from '@duckdb/node-api';
import type { FactCoverage, TierCoverage, TierName } from '../store.ts';
import { metaNumber } from './meta.ts';
import { watermarkOf } from './rollup.ts';
import { TIERS } from './schema.ts';

/** Key of `meta` under which the first bucket stands that retention still keeps whole. */
export function wholeFromKey(tier: TierName): string {
  return `${tier}_from`;
}

/** To be run inside a transaction, so that all of it is of one state. */
export async function coverageOf(connection: DuckDBConnection): Promise<FactCoverage> {
  return {
    watermark: await watermarkOf(connection),
    tiers: {
      minute: await tierCoverage(connection, 'minute'),
      half_hour: await tierCoverage(connection, 'half_hour'),
    },
  };
}

async function tierCoverage(connection: DuckDBConnection, tier: TierName): Promise<TierCoverage> {
  const { counted, aside } = TIERS[tier];
  // Table by table these are known without reading anything.
  const ofTable = (table: string) =>
    `SELECT min(bucket) AS first, max(bucket) AS last, count(*) AS n FROM ${table}`;
  const found = await connection.runAndReadAll(
    `SELECT min(first), max(last), sum(n) FROM (${ofTable(counted)} UNION ALL ${ofTable(aside)})`,
  );
  const [first, last, rows] = found.getRows()[0] ?? [];
  return {
    first: first === null ? null : Number(first),
    last: last === null ? null : Number(last),
    rows: Number(rows),
    wholeFrom: await metaNumber(connection, wholeFromKey(tier)),
  };
}
