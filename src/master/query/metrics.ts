import { type Sql, sql } from './sql.ts';

/** Values of a point of a series. `connections` does not add up over points, `opened` does; `recovered` is a part of `total`. */
export const METRICS = ['connections', 'download', 'upload', 'total', 'opened', 'recovered'] as const;
export type Metric = (typeof METRICS)[number];

export const SORT_KEYS = ['count', 'download', 'upload', 'total'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export const SORT_ORDERS = ['asc', 'desc'] as const;
export type SortOrder = (typeof SORT_ORDERS)[number];

/**
 * Connections opened or with bytes in an interval that begins at `from`: of all facts of a connection in it, one
 * alone has its previous one before the interval. Exact for any filter and grouping.
 */
export function activeSince(from: Sql): Sql {
  return sql`coalesce(sum(conns) FILTER (WHERE prev < ${from}), 0)`;
}

/** The metric over facts of an interval that begins at `from` (minutes). */
export function metricSql(metric: Metric, from: Sql): Sql {
  switch (metric) {
    case 'connections':
      return activeSince(from);
    case 'opened':
      return sql`coalesce(sum(conns) FILTER (WHERE prev = 0), 0)`;
    case 'download':
      return sql`sum(down)`;
    case 'upload':
      return sql`sum(up)`;
    case 'total':
      return sql`sum(up + down)`;
    case 'recovered':
      return sql`sum(up + down) FILTER (WHERE recovered)`;
  }
}

/** Bytes and connections, as `u`, `d`, `n`. (A sum named like its column could not be sorted by.) */
export function allMetrics(from: Sql): Sql {
  return sql`sum(up) AS u, sum(down) AS d, ${activeSince(from)} AS n`;
}
