import type { MinuteRange } from './range.ts';
import type { Source } from './source.ts';
import { listed, type Sql, sql } from './sql.ts';
import type { SumName } from './sums-of-facts.ts';

/**
 * Which point each bucket of a range belongs to, as `e(b, s, point)`: the bucket, the minute in which its point begins,
 * and the place of that in `starts`, minutes in ascending order, the first at or before the range. The application
 * gives the spans, for time zone arithmetic per row costs ten times the join, and finding each bucket's start in SQL
 * takes seconds where points are many.
 */
export function pointOfMinute(range: MinuteRange, starts: readonly number[], width: number): Sql {
  const spans = starts
    .map((start, point) => ({
      point,
      start,
      from: Math.max(start, range.from),
      to: Math.min(starts[point + 1] ?? range.to, range.to),
    }))
    .filter(({ from, to }) => from < to);
  const column = (name: 'point' | 'start' | 'from' | 'to') =>
    sql`unnest(${spans.map((span) => span[name])}::INTEGER[])`;
  return sql`p AS (SELECT ${column('point')} AS point, ${column('start')} AS s, ${column('from')} AS f,
      ${column('to')} AS t),
    e AS MATERIALIZED (SELECT unnest(range(f, t, ${width}))::INTEGER AS b, s, point FROM p)`;
}

/**
 * `(SELECT bucket, …)`: facts of one time as one fact, with what some sums need of it. A few thousand are joined with the
 * points in place of millions: behind a join DuckDB knows no bounds of what it sums, and takes twice the time.
 */
export function factsByTime({ counted }: Source, condition: Sql, sums: readonly SumName[]): Sql {
  const some = (...names: SumName[]) => names.some((name) => sums.includes(name));
  const apart = [sql`bucket`, ...(some('n', 'o') ? [sql`prev`] : []), ...(some('r') ? [sql`recovered`] : [])];
  const summed = [
    ...(some('u', 'r') ? [sql`sum(up) AS up`] : []),
    ...(some('d', 'r') ? [sql`sum(down) AS down`] : []),
    ...(some('n', 'o') ? [sql`sum(conns) AS conns`] : []),
  ];
  return sql`(SELECT ${listed([...apart, ...summed])} FROM ${counted} WHERE ${condition} GROUP BY ALL)`;
}
