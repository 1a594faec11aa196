import type { MissingFacts, SqlQuery, SqlRow } from './store.ts';

/** Lots one after the other that are gaps, as one. */
const GAPS = `SELECT min(lot) AS first_lot, max(lot) AS last_lot, min(first_bucket) AS b, max(last_bucket) + 1 AS e,
    sum(up) AS u, sum(down) AS d, 'not-kept' AS reason
  FROM (SELECT *, lot - row_number() OVER (ORDER BY lot) AS island FROM lots WHERE state = 'gap')
  GROUP BY island HAVING max(last_bucket) >= $1::INTEGER`;

const HOLES = `SELECT lot, last_lot, first_bucket, last_bucket + 1, up, down, reason FROM missing
  WHERE last_bucket >= $1::INTEGER`;

/**
 * What is in no tier, oldest lots first, for whoever reads the store; `keptFrom`: the first minute that half hours are
 * kept whole from. Of a time before it nothing is left that could be complete.
 */
export function missingQuery(keptFrom: number): SqlQuery {
  return { text: `${GAPS} UNION ALL ${HOLES} ORDER BY 1, 2`, values: [keptFrom] };
}

export function missingOf(row: SqlRow): MissingFacts {
  return {
    reason: row.reason as MissingFacts['reason'],
    firstLot: Number(row.first_lot),
    lastLot: Number(row.last_lot),
    from: Number(row.b),
    to: Number(row.e),
    download: Number(row.d),
    upload: Number(row.u),
  };
}
