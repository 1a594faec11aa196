import type { Metric } from './metrics.ts';
import { listed, type Sql, sql } from './sql.ts';

/**
 * Sums over facts, by the names that they have in every statement: bytes up and down, connections, opened ones, and
 * recovered bytes.
 */
const SUMS = ['u', 'd', 'n', 'o', 'r'] as const;
export type SumName = (typeof SUMS)[number];

/** Those of the present, and with `p` before them of the period that is compared with. */
export type SumColumn = SumName | `p${SumName}`;

export type Period = 'present' | 'compared';

const NAMES: Readonly<Record<SumColumn, Sql>> = {
  u: sql`u`,
  d: sql`d`,
  n: sql`n`,
  o: sql`o`,
  r: sql`r`,
  pu: sql`pu`,
  pd: sql`pd`,
  pn: sql`pn`,
  po: sql`po`,
  pr: sql`pr`,
};

const NEEDED: Readonly<Record<Metric, readonly SumName[]>> = {
  download: ['d'],
  upload: ['u'],
  total: ['u', 'd'],
  connections: ['n'],
  opened: ['o'],
  recovered: ['r'],
};

/** The sums behind some metrics: counting costs a third of a question, so only who asks pays. */
export function sumsOf(metrics: readonly Metric[]): SumName[] {
  const needed = new Set<SumName>(metrics.flatMap((metric) => NEEDED[metric]));
  return SUMS.filter((name) => needed.has(name));
}

/** The same with bytes in any case. */
export function sumsFor(metrics: readonly Metric[]): SumName[] {
  return sumsOf([...metrics, 'total']);
}

/**
 * `sum(…) AS u, …` over facts of one period. Connections, opened there or with bytes, count where their previous fact
 * lies before the minute `countFrom`, which may be a column of the fact's point: of all facts of a connection in a span,
 * one alone has its previous one before it, so counts are exact for any filter and grouping. By CASE, for FILTER copies
 * what it lets through.
 */
export function sumColumns(sums: readonly SumName[], countFrom: Sql, period: Period): Sql {
  return listed(
    sums.map((name) => sql`coalesce(sum(${SUMMED[name](countFrom)}), 0) AS ${NAMES[columnOf(name, period)]}`),
  );
}

/** Connections whose previous fact lies before a minute. */
export function countColumn(countFrom: Sql): Sql {
  return sql`coalesce(sum(${SUMMED.n(countFrom)}), 0)`;
}

/** `0 AS u, …`: the same columns of the period that is not summed. */
export function noSumColumns(sums: readonly SumName[], period: Period): Sql {
  return listed(sums.map((name) => sql`0 AS ${NAMES[columnOf(name, period)]}`));
}

function columnOf(name: SumName, period: Period): SumColumn {
  return period === 'present' ? name : `p${name}`;
}

const SUMMED: Readonly<Record<SumName, (countFrom: Sql) => Sql>> = {
  u: () => sql`up`,
  d: () => sql`down`,
  n: (countFrom) => sql`CASE WHEN prev < ${countFrom} THEN conns ELSE 0 END`,
  o: () => sql`CASE WHEN prev = 0 THEN conns ELSE 0 END`,
  r: () => sql`CASE WHEN recovered THEN up + down ELSE 0 END`,
};

export function columnsOf(sums: readonly SumName[], compared: boolean): SumColumn[] {
  return compared ? [...sums, ...sums.map((name): SumColumn => `p${name}`)] : [...sums];
}

/** `sum(u) AS u, …` over rows that are sums already. */
export function sumsOfSums(columns: readonly SumColumn[]): Sql {
  return listed(columns.map((name) => sql`sum(${NAMES[name]}) AS ${NAMES[name]}`));
}

/** `u, …` */
export function sumNames(columns: readonly SumColumn[]): Sql {
  return listed(columns.map((name) => NAMES[name]));
}

/** The value of a metric over columns of sums, for ranking; `sum(…)` of it where rows are summed again. */
export function metricOfSums(metric: Metric): Sql {
  return listed(
    NEEDED[metric].map((name) => NAMES[name]),
    ' + ',
  );
}
