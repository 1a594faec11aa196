import type { DuckDBConnection } from '@duckdb/node-api';
import type { MissingFacts } from '../store.ts';

/** Lots one after the other that are gaps, as one. */
const GAPS = `SELECT min(lot), max(lot), min(first_bucket), max(last_bucket) + 1, sum(up), sum(down), 'not-kept'
  FROM (SELECT *, lot - row_number() OVER (ORDER BY lot) AS island FROM lots WHERE state = 'gap')
  GROUP BY island`;

const HOLES = 'SELECT lot, last_lot, first_bucket, last_bucket + 1, up, down, reason FROM missing';

export async function missingFacts(connection: DuckDBConnection): Promise<MissingFacts[]> {
  const found = await connection.runAndReadAll(`${GAPS} UNION ALL ${HOLES} ORDER BY 1, 2`);
  return found.getRows().map(([firstLot, lastLot, from, to, up, down, reason]) => ({
    firstLot: Number(firstLot),
    lastLot: Number(lastLot),
    from: Number(from),
    to: Number(to),
    upload: Number(up),
    download: Number(down),
    reason: reason as MissingFacts['reason'],
  }));
}
