import type { Metric } from './metrics.ts';
import type { MinuteRange } from './range.ts';
import { listed, type Sql, sql } from './sql.ts';

/**
 * Sums over facts, by the names that they have in every statement: bytes up and down, connections, opened ones, and
 * recovered bytes.
 */
const SUMS = ['u', 'd', 'n', 'o', 'r'] as const;
export type SumName = (typeof SUMS)[number];

/** Those of the present, and with `p` before them of the period that is compared with. */
export type SumColumn = SumName | `p${SumName}`;

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

/** The sums behind some metrics, bytes in any case: counting costs a third of a question, so only who asks pays. */
export function sumsFor(metrics: readonly Metric[]): SumName[] {
  const needed = new Set<SumName>(['u', 'd', ...metrics.flatMap((metric) => NEEDED[metric])]);
  return SUMS.filter((name) => needed.has(name));
}

/** Where and since when facts are summed. */
export interface Span {
  readonly range: MinuteRange;
  /** Connections count whose previous fact lies before this minute, a column of the fact's point included. */
  readonly countFrom: Sql;
}

/** `sum(…) AS u, …` over facts. With `compared`, each is summed once in either span. */
export function sumColumns(sums: readonly SumName[], present: Span, compared: Span | null): Sql {
  if (compared === null) return listed(sums.map((name) => sumColumn(name, name, present, null)));
  const within = ({ range }: Span) => sql`bucket >= ${range.from} AND bucket < ${range.to}`;
  return listed([
    ...sums.map((name) => sumColumn(name, name, present, within(present))),
    ...sums.map((name) => sumColumn(name, `p${name}`, compared, within(compared))),
  ]);
}

function sumColumn(name: SumName, as: SumColumn, span: Span, within: Sql | null): Sql {
  const tests = [CONDITIONS[name](span), within].filter((test) => test !== null);
  const where = tests.length === 0 ? sql`` : sql` FILTER (WHERE ${listed(tests, ' AND ')})`;
  return sql`coalesce(sum(${SUMMED[name]})${where}, 0) AS ${NAMES[as]}`;
}

const SUMMED: Readonly<Record<SumName, Sql>> = {
  u: sql`up`,
  d: sql`down`,
  n: sql`conns`,
  o: sql`conns`,
  r: sql`up + down`,
};

const CONDITIONS: Readonly<Record<SumName, (span: Span) => Sql | null>> = {
  u: () => null,
  d: () => null,
  // Of all facts of a connection in a span, one alone has its previous one before it.
  n: ({ countFrom }) => sql`prev < ${countFrom}`,
  o: () => sql`prev = 0`,
  r: () => sql`recovered`,
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
