import { type Part, where, whereUnattributed } from './filter.ts';
import type { GroupSpec } from './group-keys.ts';
import type { Metric, SortKey, SortOrder } from './metrics.ts';
import { factsByTime, pointOfMinute } from './series-sql.ts';
import { type Sql, sql } from './sql.ts';
import { metricOfSums, type SumName, sumColumns, sumsOf } from './sums-of-facts.ts';

const BYTES_AND_COUNT: readonly SumName[] = ['u', 'd', 'n'];

const bytesAndCount = ({ range }: Part): Sql => sumColumns(BYTES_AND_COUNT, sql`${range.from}`, 'present');

/** Everything together: `u`, `d`, `n`. */
export function summaryStatement(part: Part): Sql {
  return sql`SELECT ${bytesAndCount(part)} FROM ${part.source.counted} WHERE ${where(part)}`;
}

/** Bytes that no connection explains: `u`, `d`. */
export function unattributedStatement(part: Part): Sql {
  return sql`SELECT sum(up) AS u, sum(down) AS d FROM ${part.source.aside} WHERE ${whereUnattributed(part)}`;
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
  part: Part,
  sort: { by: SortKey; order: SortOrder; limit: number },
): Sql {
  return sql`WITH
    a AS (SELECT ${spec.ids}, ${bytesAndCount(part)} FROM ${part.source.counted}
      WHERE ${where(part)} GROUP BY ALL),
    g AS MATERIALIZED (SELECT ${spec.text} AS k, sum(u) AS u, sum(d) AS d, sum(n) AS n
      FROM a ${spec.joins} GROUP BY 1),
    t AS (SELECT false AS whole, k, u, d, n, 1 AS members FROM g
      ORDER BY ${sortOf(sort.by, sort.order)}, k LIMIT ${sort.limit})
    SELECT * FROM (SELECT * FROM t UNION ALL SELECT true, NULL, sum(u), sum(d), sum(n), count(*) FROM g)
    ORDER BY whole, ${sortOf(sort.by, sort.order)}, k`;
}

/** One row `s`, `v` for each point with facts. A point clipped by the range begins, for counting, at its begin. */
export function seriesStatement(metric: Metric, part: Part, starts: readonly number[]): Sql {
  const { source, range } = part;
  const sums = sumsOf([metric]);
  return sql`WITH ${pointOfMinute(range, starts, source.width)},
    a AS (SELECT e.s AS s, ${sumColumns(sums, sql`e.s`, 'present')}
      FROM ${factsByTime(source, where(part), sums)} AS f JOIN e ON e.b = f.bucket GROUP BY 1)
    SELECT s, ${metricOfSums(metric)} AS v FROM a`;
}

/** Values that contain a text, by bytes: `k` and `v`. */
export function optionsStatement(spec: GroupSpec, part: Part, contains: string, limit: number): Sql {
  const text = contains.toLowerCase();
  const only = text === '' ? undefined : spec.containing?.(text);
  const condition = only === undefined ? where(part) : sql`${where(part)} AND ${only}`;
  return sql`WITH
    a AS (SELECT ${spec.ids}, sum(up + down) AS v FROM ${part.source.counted} WHERE ${condition} GROUP BY ALL),
    g AS (SELECT ${spec.text} AS k, sum(v) AS v FROM a ${spec.joins} GROUP BY 1)
    SELECT k, v FROM g WHERE k <> '' AND contains(lower(k), ${text})
    ORDER BY v DESC, k LIMIT ${limit}`;
}

/** Per agent and day: attributed `u`, `d`, the recovered part of them `ru`, `rd`, and unattributed `xu`, `xd`. */
export function dailyStatement(part: Part, starts: readonly number[]): Sql {
  const { source, range } = part;
  return sql`WITH ${pointOfMinute(range, starts, source.width)},
    f AS (
      SELECT agent, bucket AS b, recovered AS r, false AS x, sum(up) AS u, sum(down) AS d
      FROM ${source.counted} WHERE ${where(part)} GROUP BY ALL
      UNION ALL SELECT agent, bucket, false, true, sum(up), sum(down) FROM ${source.aside}
      WHERE ${whereUnattributed(part)} GROUP BY ALL)
    SELECT agent, e.s AS s,
      sum(u) FILTER (WHERE NOT x) AS u, sum(d) FILTER (WHERE NOT x) AS d,
      sum(u) FILTER (WHERE r) AS ru, sum(d) FILTER (WHERE r) AS rd,
      sum(u) FILTER (WHERE x) AS xu, sum(d) FILTER (WHERE x) AS xd
    FROM f JOIN e ON e.b = f.b GROUP BY ALL ORDER BY agent, s`;
}
