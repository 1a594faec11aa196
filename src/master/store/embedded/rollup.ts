import type { DuckDBConnection } from '@duckdb/node-api';
import type { RollupStep } from '../store.ts';
import { coarseRows, DERIVATIONS, type Derivation, differences, halfHourOf } from './coarse-rows.ts';

/**
 * The newest lot that one step takes in: as many as have `$2` rows together, at least one. Lots that are gaps have
 * no rows; the tier has all that there is of them.
 */
const NEXT_LOTS = `
  SELECT coalesce(max(lot) FILTER (WHERE total <= $2::BIGINT), min(lot)) AS upto, max(lot) AS newest
  FROM (SELECT lot, sum(CASE WHEN state = 'ok' THEN rows ELSE 0 END) OVER (ORDER BY lot) AS total
    FROM lots WHERE lot > $1::INTEGER)`;

/** Minutes of the lots after `$1` up to `$2` as pieces of half hours; one that counts nothing there has no `p`. */
function pieces({ fine, dimensions }: Derivation): string {
  const isFirst = `conns > 0 AND ${halfHourOf('prev')} < ${halfHourOf('bucket')}`;
  return `SELECT $2::INTEGER AS lot, ${halfHourOf('bucket')} AS b,
      CASE WHEN ${isFirst} THEN ${halfHourOf('prev')} END AS p, ${dimensions}, up, down,
      CASE WHEN ${isFirst} THEN conns ELSE 0 END AS conns
    FROM ${fine} WHERE lot > $1::INTEGER AND lot <= $2::INTEGER`;
}

const STATEMENTS = DERIVATIONS.map((derivation) => ({
  coarse: derivation.coarse,
  insert: `INSERT INTO ${derivation.coarse} BY NAME ${coarseRows(derivation, pieces(derivation))}`,
  check: differences(
    pieces(derivation),
    `SELECT bucket AS b, prev AS p, up, down, conns FROM ${derivation.coarse} WHERE lot = $2::INTEGER`,
  ),
}));

/** The newest lot of which the coarse tier has all facts, or had at an instant (epoch ms); 0 for none. */
export async function watermarkOf(
  connection: DuckDBConnection,
  instant = Number.MAX_SAFE_INTEGER,
): Promise<number> {
  const found = await connection.runAndReadAll(
    'SELECT coalesce(max(lot), 0) FROM rollups WHERE made_at <= $1::BIGINT',
    [BigInt(instant)],
  );
  return Number(found.getColumns()[0]?.[0]);
}

/** Rows of half hours, under the second lot, of minutes of the lots after the first up to it; returns their number. */
export async function insertHalfHours(connection: DuckDBConnection, lots: [number, number]): Promise<number> {
  let rows = 0;
  for (const { insert } of STATEMENTS) rows += (await connection.run(insert, lots)).rowsChanged;
  return rows;
}

/**
 * Takes the oldest lots that are not in the coarse tier into it: by lot and never by time, so that late facts need no
 * care and any lot can be cut again. To be run inside a transaction; throws when the books of the two tiers differ.
 */
export async function rollUp(
  connection: DuckDBConnection,
  maxRows: number,
  now: number,
): Promise<RollupStep> {
  const before = await watermarkOf(connection);
  const next = await connection.runAndReadAll(NEXT_LOTS, [before, BigInt(maxRows)]);
  const [upto, newest] = next.getRows()[0] ?? [];
  if (upto === null || upto === undefined) return { watermark: before, rows: 0, more: false };
  const lots = [before, Number(upto)];
  let rows = 0;
  for (const { coarse, insert, check } of STATEMENTS) {
    rows += (await connection.run(insert, lots)).rowsChanged;
    const differ = Number((await connection.runAndReadAll(check, lots)).getColumns()[0]?.[0]);
    if (differ !== 0) {
      throw new Error(
        `${coarse}: ${differ} sums of lots ${before + 1} to ${upto} are not those of the minutes`,
      );
    }
  }
  await connection.run('INSERT INTO rollups (lot, made_at) VALUES ($1::INTEGER, $2::BIGINT)', [
    Number(upto),
    BigInt(now),
  ]);
  return { watermark: Number(upto), rows, more: Number(newest) > Number(upto) };
}
