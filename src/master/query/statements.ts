import { type Filters, where, whereUnattributed } from './filter.ts';
import type { GroupSpec } from './group-keys.ts';
import { allMetrics, type Metric, metricSql, type SortKey, type SortOrder } from './metrics.ts';
import type { MinuteRange } from './range.ts';
import { type Sql, sql } from './sql.ts';

/** First and last minute with anything in it: `first`, `last`, null in an empty store. */
export function extentStatement(): Sql {
  return sql`SELECT min(f) AS first, max(l) AS last FROM (
    SELECT min(bucket) AS f, max(bucket) AS l FROM minute
    UNION ALL SELECT min(bucket), max(bucket) FROM minute_aside)`;
}

/** Everything together: `u`, `d`, `n`. */
export function summaryStatement(range: MinuteRange, filters: Filters): Sql {
  return sql`SELECT ${allMetrics(sql`${range.from}`)} FROM minute WHERE ${where(range, filters)}`;
}

/** Bytes that no connection explains: `u`, `d`. */
export function unattributedStatement(range: MinuteRange, filters: Filters): Sql {
  return sql`SELECT sum(up) AS u, sum(down) AS d FROM minute_aside WHERE ${whereUnattributed(range, filters)}`;
}

function sortOf(key: SortKey, order: SortOrder): Sql {
  const column = { count: sql`n`, download: sql`d`, upload: sql`u`, total: sql`u + d` }[key];
  return order === 'asc' ? sql`${column} ASC` : sql`${column} DESC`;
}

/**
 * The first `limit` groups, each a row `k`, `u`, `d`, `n`, in order; and one row with `whole` true for all groups
 * together (`members` of them), from which follows what the limit cut off. Aggregated by id, then by text; ties
 * are broken by the text. (Ranking all groups instead of finding the first ones takes twice the time.)
 */
export function groupStatement(
  spec: GroupSpec,
  range: MinuteRange,
  filters: Filters,
  sort: { by: SortKey; order: SortOrder; limit: number },
): Sql {
  return sql`WITH
    a AS (SELECT ${spec.ids}, ${allMetrics(sql`${range.from}`)} FROM minute
      WHERE ${where(range, filters)} GROUP BY ALL),
    g AS MATERIALIZED (SELECT ${spec.text} AS k, sum(u) AS u, sum(d) AS d, sum(n) AS n
      FROM a ${spec.joins} GROUP BY 1),
    t AS (SELECT false AS whole, k, u, d, n, 1 AS members FROM g
      ORDER BY ${sortOf(sort.by, sort.order)}, k LIMIT ${sort.limit})
    SELECT * FROM (SELECT * FROM t UNION ALL SELECT true, NULL, sum(u), sum(d), sum(n), count(*) FROM g)
    ORDER BY whole, ${sortOf(sort.by, sort.order)}, k`;
}

/**
 * Which point each minute of a range belongs to, as `e(b, s)`; starts are minutes in ascending order, the first at
 * or before the range. The application gives the spans, for time zone arithmetic per row costs ten times the join,
 * and finding each minute's start in SQL takes seconds where points are many.
 */
function pointOfMinute(range: MinuteRange, starts: readonly number[]): Sql {
  const spans = starts
    .map((start, index) => ({
      start,
      from: Math.max(start, range.from),
      to: Math.min(starts[index + 1] ?? range.to, range.to),
    }))
    .filter(({ from, to }) => from < to);
  const column = (name: 'start' | 'from' | 'to') =>
    sql`unnest(${spans.map((span) => span[name])}::INTEGER[])`;
  return sql`p AS (SELECT ${column('start')} AS s, ${column('from')} AS f, ${column('to')} AS t),
    e AS MATERIALIZED (SELECT unnest(range(f, t))::INTEGER AS b, s FROM p)`;
}

/** One row `s`, `v` for each point with facts. A point clipped by the range begins, for counting, at its begin. */
export function seriesStatement(
  metric: Metric,
  range: MinuteRange,
  starts: readonly number[],
  filters: Filters,
): Sql {
  return sql`WITH ${pointOfMinute(range, starts)}
    SELECT e.s AS s, ${metricSql(metric, sql`e.s`)} AS v FROM minute JOIN e ON e.b = bucket
    WHERE ${where(range, filters)} GROUP BY 1`;
}

/** Values that contain a text, by bytes: `k` and `v`. */
export function optionsStatement(
  spec: GroupSpec,
  range: MinuteRange,
  filters: Filters,
  contains: string,
  limit: number,
): Sql {
  return sql`WITH
    a AS (SELECT ${spec.ids}, sum(up + down) AS v FROM minute WHERE ${where(range, filters)} GROUP BY ALL),
    g AS (SELECT ${spec.text} AS k, sum(v) AS v FROM a ${spec.joins} GROUP BY 1)
    SELECT k, v FROM g WHERE k <> '' AND contains(lower(k), ${contains.toLowerCase()})
    ORDER BY v DESC, k LIMIT ${limit}`;
}

/** Per agent and day: attributed `u`, `d`, the recovered part of them `ru`, `rd`, and unattributed `xu`, `xd`. */
export function dailyStatement(range: MinuteRange, starts: readonly number[], filters: Filters): Sql {
  return sql`WITH ${pointOfMinute(range, starts)},
    f AS (
      SELECT agent, bucket, up AS u, down AS d, recovered AS r, false AS x FROM minute WHERE ${where(range, filters)}
      UNION ALL SELECT agent, bucket, up, down, false, true FROM minute_aside
      WHERE ${whereUnattributed(range, filters)})
    SELECT agent, e.s AS s,
      sum(u) FILTER (WHERE NOT x) AS u, sum(d) FILTER (WHERE NOT x) AS d,
      sum(u) FILTER (WHERE r) AS ru, sum(d) FILTER (WHERE r) AS rd,
      sum(u) FILTER (WHERE x) AS xu, sum(d) FILTER (WHERE x) AS xd
    FROM f JOIN e ON e.b = bucket GROUP BY ALL ORDER BY agent, s`;
}
