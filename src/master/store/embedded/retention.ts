import type { DuckDBConnection } from '@duckdb/node-api';
import type { MergeStep, TierName } from '../store.ts';
import { coarseRows, DERIVATIONS, type Derivation, differences } from './coarse-rows.ts';
import { wholeFromKey } from './coverage.ts';
import { metaNumber, putMeta } from './meta.ts';
import { watermarkOf } from './rollup.ts';
import { TIERS } from './schema.ts';

/** Minutes that one step looks at: of a store with 25 million connections a quarter of a second. */
const SLICE = 360;
/** Least share of rows that a merge must save; a slice is not rewritten for less. */
const WORTH_MERGING = 0.1;

/** Rows of lots up to one were changed for good: a cut below it cannot restore what they were. */
async function raiseFloor(connection: DuckDBConnection, lot: number): Promise<void> {
  if (lot > (await metaNumber(connection, 'floor'))) await putMeta(connection, 'floor', lot);
}

async function refuseUnrolled(connection: DuckDBConnection, lot: number): Promise<void> {
  const watermark = await watermarkOf(connection);
  if (lot > watermark) throw new Error(`lots up to ${lot} are to go, but only ${watermark} are rolled up`);
}

/** To be run inside a transaction, so that what is gone and what is said to be gone are the same. */
export async function dropBefore(
  connection: DuckDBConnection,
  tier: TierName,
  bucket: number,
  lot: number,
): Promise<number> {
  await refuseUnrolled(connection, lot);
  let rows = 0;
  for (const table of Object.values(TIERS[tier])) {
    const gone = await connection.run(
      `DELETE FROM ${table} WHERE bucket < $1::INTEGER AND lot <= $2::INTEGER`,
      [bucket, lot],
    );
    rows += gone.rowsChanged;
  }
  if (rows === 0) return 0;
  await raiseFloor(connection, lot);
  const key = wholeFromKey(tier);
  if (bucket > (await metaNumber(connection, key))) await putMeta(connection, key, bucket);
  return rows;
}

/** Half hours of a slice, of lots up to one, as pieces of which rows are made anew. */
function pieces({ coarse, dimensions }: Derivation): string {
  return `SELECT lot, bucket AS b, CASE WHEN conns > 0 THEN prev END AS p, ${dimensions}, up, down, conns
    FROM ${coarse} WHERE bucket >= $1::INTEGER AND bucket < $2::INTEGER AND lot <= $3::INTEGER`;
}

const STATEMENTS = DERIVATIONS.map((derivation) => ({
  coarse: derivation.coarse,
  make: `CREATE OR REPLACE TEMP TABLE merged AS ${coarseRows(derivation, pieces(derivation))}`,
  count: `SELECT (SELECT count(*) FROM (${pieces(derivation)})), (SELECT count(*) FROM merged)`,
  check: differences(pieces(derivation), 'SELECT bucket AS b, prev AS p, up, down, conns FROM merged'),
  remove: `DELETE FROM ${derivation.coarse}
    WHERE bucket >= $1::INTEGER AND bucket < $2::INTEGER AND lot <= $3::INTEGER`,
  insert: `INSERT INTO ${derivation.coarse} BY NAME SELECT * FROM merged`,
}));

/** The oldest slice that has half hours and was not looked at, as its first bucket; null for none. */
async function nextSlice(connection: DuckDBConnection): Promise<number | null> {
  const from = await metaNumber(connection, 'fragments_to');
  const found = await connection.runAndReadAll(
    `SELECT min(bucket) FROM (
       SELECT bucket FROM ${TIERS.half_hour.counted} UNION ALL SELECT bucket FROM ${TIERS.half_hour.aside})
     WHERE bucket >= $1::INTEGER`,
    [from],
  );
  const first = found.getColumns()[0]?.[0];
  return first === null || first === undefined ? null : Math.floor(Number(first) / SLICE) * SLICE;
}

/**
 * Makes one row of those that differ in nothing but the lot, in the oldest slice before `bucket` that was not looked at.
 * A merged row stands under the youngest of its lots: cut, it is missed and not counted twice. To be run inside a
 * transaction.
 */
export async function mergeFragments(
  connection: DuckDBConnection,
  bucket: number,
  lot: number,
): Promise<MergeStep> {
  await refuseUnrolled(connection, lot);
  const begin = await nextSlice(connection);
  if (begin === null || begin + SLICE > bucket) return { saved: 0, more: false };
  const end = begin + SLICE;
  const range = [begin, end, lot];
  let saved = 0;
  for (const { coarse, make, count, check, remove, insert } of STATEMENTS) {
    await connection.run(make, range);
    const [before, after] = (await connection.runAndReadAll(count, range)).getRows()[0] ?? [];
    const fewer = Number(before) - Number(after);
    if (fewer <= Number(before) * WORTH_MERGING) continue;
    const differ = Number((await connection.runAndReadAll(check, range)).getColumns()[0]?.[0]);
    if (differ !== 0) throw new Error(`${coarse}: ${differ} sums from ${begin} on are not what they were`);
    await connection.run(remove, range);
    await connection.run(insert);
    saved += fewer;
  }
  await connection.run('DROP TABLE IF EXISTS merged');
  if (saved > 0) {
    await raiseFloor(connection, lot);
    await putMeta(connection, 'merged_to', end);
  }
  await putMeta(connection, 'fragments_to', end);
  return { saved, more: true };
}
