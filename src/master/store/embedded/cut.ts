import type { DuckDBConnection } from '@duckdb/node-api';
import { wholeFromKey } from './coverage.ts';
import { metaNumber, putMeta } from './meta.ts';
import { FACT_TABLES, LOT_TABLES, TIERS } from './schema.ts';

/** Tables of which each row is a fact, once. */
const FACTS: ReadonlySet<string> = new Set(Object.values(FACT_TABLES));
const FINE = unionOf(Object.values(TIERS.minute));
const COARSE = unionOf(Object.values(TIERS.half_hour));

function unionOf(tables: readonly string[]): string {
  return `(${tables.map((table) => `SELECT lot, bucket, up, down FROM ${table}`).join(' UNION ALL ')})`;
}

/**
 * Removes every trace of lots above one. Coarse rows stand under the lot of their rollup, so those of a rollup that
 * took in remaining lots too go as well; the next rollup makes them again from minutes. Only where retention has
 * dropped those minutes, or fragments were merged, something of remaining lots goes for good: below the file's floor.
 * What that is at most is written down with the cut. To be run inside a transaction.
 */
export async function cutAbove(
  connection: DuckDBConnection,
  lot: number,
): Promise<{ removed: number; exact: boolean }> {
  const floor = await metaNumber(connection, 'floor');
  const exact = lot >= floor;
  const hole = exact ? null : await findHole(connection, lot, floor);
  let removed = 0;
  for (const table of LOT_TABLES) {
    const { rowsChanged } = await connection.run(`DELETE FROM ${table} WHERE lot > $1::INTEGER`, [lot]);
    if (FACTS.has(table)) removed += rowsChanged;
  }
  if (!exact) await putMeta(connection, 'floor', lot);
  if (hole !== null) await insertHole(connection, hole);
  return { removed, exact };
}

/** Bytes of lots that are in no tier; buckets are minutes, `to` exclusive. */
export interface Hole {
  firstLot: number;
  lastLot: number;
  from: number;
  to: number;
  up: bigint;
  down: bigint;
  reason: 'rolled-off' | 'rebuilt';
}

/** Name of a hole's place in the file. Its `lot` is the first, so that a cut below all of its lots removes it. */
export async function insertHole(connection: DuckDBConnection, hole: Hole): Promise<void> {
  await connection.run(
    `INSERT INTO missing (lot, last_lot, first_bucket, last_bucket, up, down, reason)
     VALUES ($1::INTEGER, $2::INTEGER, $3::INTEGER, $4::INTEGER, $5::BIGINT, $6::BIGINT, $7)`,
    [hole.firstLot, hole.lastLot, hole.from, hole.to - 1, hole.up, hole.down, hole.reason],
  );
}

/**
 * What a cut to `lot` takes from lots that remain. They had a part in coarse rows of lots `lot + 1` to `floor` that
 * lie where minutes were dropped or fragments merged; nothing else is changed below the floor.
 */
async function findHole(connection: DuckDBConnection, lot: number, floor: number): Promise<Hole | null> {
  const watermark = await numberOf(
    connection,
    'SELECT coalesce(max(lot), 0) FROM rollups WHERE lot <= $1::INTEGER',
    [lot],
  );
  const mergedTo = await metaNumber(connection, 'merged_to');
  const changedTo = Math.max(mergedTo, await metaNumber(connection, wholeFromKey('minute')));
  const touched = await connection.runAndReadAll(
    `SELECT min(bucket), max(bucket) + 30 FROM ${COARSE}
     WHERE lot > $1::INTEGER AND lot <= $2::INTEGER AND bucket < $3::INTEGER`,
    [lot, floor, changedTo],
  );
  const [from, to] = touched.getRows()[0] ?? [];
  if (from === null || from === undefined) return null;
  // Merged rows may hold bytes of any older lot; others only of those since the last rollup that remains.
  const after = Number(from) < mergedTo ? 0 : watermark;
  const firstLot = await numberOf(
    connection,
    `SELECT coalesce(min(lot), 0) FROM lots WHERE state = 'ok' AND lot > $1::INTEGER AND lot <= $2::INTEGER
       AND last_bucket >= $3::INTEGER AND first_bucket < $4::INTEGER`,
    [after, lot, Number(from), Number(to)],
  );
  if (firstLot === 0) return null;
  const { up, down } = await lostSums(connection, lot, watermark);
  return { firstLot, lastLot: lot, from: Number(from), to: Number(to), up, down, reason: 'rolled-off' };
}

/** Coarse bytes that go, less those of the lots that go, less what the next rollup brings back from minutes. */
async function lostSums(
  connection: DuckDBConnection,
  lot: number,
  watermark: number,
): Promise<{ up: bigint; down: bigint }> {
  const found = await connection.runAndReadAll(
    `WITH
      s AS (SELECT up, down, 1 AS sign FROM ${COARSE} WHERE lot > $1::INTEGER
        UNION ALL SELECT up, down, -1 FROM lots
          WHERE state = 'ok' AND lot > $1::INTEGER AND lot <= (SELECT coalesce(max(lot), 0) FROM rollups)
        UNION ALL SELECT up, down, -1 FROM ${FINE} WHERE lot > $2::INTEGER AND lot <= $1::INTEGER)
     SELECT greatest(0, coalesce(sum(sign * up::HUGEINT), 0))::BIGINT, greatest(0, coalesce(sum(sign * down::HUGEINT), 0))::BIGINT FROM s`,
    [lot, watermark],
  );
  const [up, down] = found.getRows()[0] ?? [];
  return { up: BigInt(up as bigint), down: BigInt(down as bigint) };
}

async function numberOf(connection: DuckDBConnection, text: string, values: number[]): Promise<number> {
  return Number((await connection.runAndReadAll(text, values)).getColumns()[0]?.[0]);
}
