import type { DuckDBConnection } from '@duckdb/node-api';
import type { MissingFacts } from '../store.ts';
import { wholeFromKey } from './coverage.ts';
import { metaNumber } from './meta.ts';

/** Lots one after the other that are gaps, as one. */
const GAPS = `SELECT min(lot), max(lot), min(first_bucket), max(last_bucket) + 1, sum(up), sum(down), 'not-kept'
  FROM (SELECT *, lot - row_number() OVER (ORDER BY lot) AS island FROM lots WHERE state = 'gap')
  GROUP BY island HAVING max(last_bucket) >= $1::INTEGER`;

const HOLES = `SELECT lot, last_lot, first_bucket, last_bucket + 1, up, down, reason FROM missing
  WHERE last_bucket >= $1::INTEGER`;

/** But for those of a time that is kept no longer: there is nothing left that could be complete. */
export async function missingFacts(connection: DuckDBConnection): Promise<MissingFacts[]> {
  const kept = await metaNumber(connection, wholeFromKey('half_hour'));
  const found = await connection.runAndReadAll(`${GAPS} UNION ALL ${HOLES} ORDER BY 1, 2`, [kept]);
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
