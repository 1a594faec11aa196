import { expect } from 'vitest';
import { FACT_COLUMNS } from '../../domain/fact-columns.ts';
import type { FactStore, SqlRow } from './store.ts';

export function rowsOf(store: FactStore, text: string): Promise<SqlRow[]> {
  return store.read((run) => run({ text, values: [] }));
}

/** Every column that bytes are grouped by. */
const DIMENSIONS = [...FACT_COLUMNS.map(({ name }) => `"${name}"`), 'recovered'];

/**
 * I4 over all that both tiers hold, lots up to the watermark from `from` (a half hour) on: bytes of every half hour
 * and combination of dimensions, and the count of every interval with bounds on half hours, all in all and by each
 * dimension alone.
 *
 * The count of `[b, …)` is the number of connections whose first fact at or after `b` is counted with a `prev` before
 * it, and intervals that end earlier leave out later buckets; so equal numbers by bucket and half hour of `prev` are
 * equal counts of all intervals.
 */
export async function expectTiersToAgree(store: FactStore, from = 0): Promise<void> {
  for (const [aside, kind] of [
    ['', ''],
    ['_aside', 'kind, '],
  ]) {
    const fine = `(SELECT * REPLACE (bucket // 30 * 30 AS bucket, prev // 30 * 30 AS prev) FROM minute${aside}
      WHERE lot <= (SELECT coalesce(max(lot), 0) FROM rollups))`;
    const coarse = `half_hour${aside}`;
    const bytes = (table: string) =>
      rowsOf(
        store,
        `SELECT ${kind}bucket, ${DIMENSIONS.join(', ')}, sum(up)::BIGINT AS u, sum(down)::BIGINT AS d
         FROM ${table} WHERE bucket >= ${from} GROUP BY ALL ORDER BY ALL`,
      );
    expect(await bytes(coarse)).toEqual(await bytes(fine));
    for (const dimension of ['1', ...DIMENSIONS]) {
      const counts = (table: string) =>
        rowsOf(
          store,
          `SELECT ${kind}bucket, prev, ${dimension} AS k, sum(conns)::BIGINT AS n FROM ${table}
           WHERE bucket >= ${from} AND conns > 0 AND prev < bucket GROUP BY ALL ORDER BY ALL`,
        );
      expect(await counts(coarse), dimension).toEqual(await counts(fine));
    }
  }
}
