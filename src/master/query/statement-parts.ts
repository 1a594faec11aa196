import { expression } from './expression.ts';
import type { Grouping } from './grouping.ts';
import type { WallClock } from './hour-of-week.ts';
import type { MinuteRange } from './range.ts';
import type { Source } from './source.ts';
import { listed, type Sql, sql } from './sql.ts';
import { noSumColumns, type Period, type SumName, sumColumns } from './sums-of-facts.ts';
import type { TrafficQuestion } from './traffic-question.ts';

/** A question with everything looked up that its statements need. */
export interface Plan {
  readonly question: Pick<TrafficQuestion, 'filter' | 'agents' | 'top' | 'topBy'>;
  readonly source: Source;
  readonly clock: WallClock;
  readonly groupings: readonly Grouping[];
  /** At least bytes. */
  readonly sums: readonly SumName[];
  readonly present: MinuteRange;
  /** The period compared with, null for none. */
  readonly compared: MinuteRange | null;
}

/** Names of columns by the place of their dimension: its id, its text, and what joins it. */
export const ID = [sql`i0`, sql`i1`, sql`i2`, sql`i3`];
export const KEY = [sql`k0`, sql`k1`, sql`k2`, sql`k3`];
export const ENTRY = [sql`x0`, sql`x1`, sql`x2`, sql`x3`];
export const TOP = [sql`t0`, sql`t1`, sql`t2`, sql`t3`];
export const MEMBER = [sql`m0`, sql`m1`, sql`m2`, sql`m3`];

export const at = (names: readonly Sql[], index: number): Sql => names[index] ?? sql``;

export function condition({ question, clock }: Plan, { from, to }: MinuteRange): Sql {
  const { agents, filter } = question;
  const tests = [sql`bucket >= ${from} AND bucket < ${to}`];
  if (agents !== null) tests.push(agents.length === 0 ? sql`false` : sql`agent IN (${listed(agents)})`);
  if (filter !== null) tests.push(expression(filter, clock.hourOfWeek));
  return listed(tests, ' AND ');
}

/** A connection is counted anew in every hour of the week that it reaches, as in every point of a series. */
export function countFrom({ groupings, clock }: Plan, start: Sql): Sql {
  const byHour = groupings.some(({ name }) => name === 'hour_of_week');
  return byHour ? sql`greatest(${start}, ${clock.hourStart})` : start;
}

export interface Summed {
  /** `<value> AS <name>, …` to group by; absent for one row. */
  readonly ids?: readonly Sql[];
  /** Behind FROM. */
  readonly from: Sql;
}

/**
 * `<ids>, <sums>` of the facts of both periods. Each period is read by itself, with 0 for the sums of the other: sums
 * under a condition of time would cost twice as much. So with a comparison a group has up to two rows.
 */
export function summed(plan: Plan, { ids = [], from }: Summed): Sql {
  const { present, compared, sums } = plan;
  const group = ids.length === 0 ? sql`` : sql`GROUP BY ALL`;
  const read = (range: MinuteRange, columns: readonly Sql[]) =>
    sql`SELECT ${listed([...ids, ...columns])} FROM ${from} WHERE ${condition(plan, range)} ${group}`;
  const columns = (range: MinuteRange, period: Period) =>
    sumColumns(sums, countFrom(plan, sql`${range.from}`), period);
  if (compared === null) return read(present, [columns(present, 'present')]);
  return sql`${read(present, [columns(present, 'present'), noSumColumns(sums, 'compared')])}
    UNION ALL ${read(compared, [noSumColumns(sums, 'present'), columns(compared, 'compared')])}`;
}

/** Joins of the dictionaries of some groupings to ids `i0 …` of a table. */
export function entries(
  groupings: readonly Grouping[],
  table: Sql,
  wanted: (grouping: Grouping) => boolean,
): Sql {
  const joins = groupings.map(({ dictionary, ...rest }, index) =>
    dictionary !== null && wanted({ dictionary, ...rest })
      ? sql`LEFT JOIN ${dictionary} AS ${at(ENTRY, index)} ON ${at(ENTRY, index)}.id = ${table}.${at(ID, index)}`
      : sql``,
  );
  return listed(joins, ' ');
}

export interface Numbered {
  /** `m0 (id, code)`: numbers of ids. */
  table: Sql;
  join: Sql;
  /** Over facts: the number of the value, 0 for one without. */
  id: Sql;
}

/**
 * The number of each fact's value in a dictionary, by the values that have one, `t0 (k, code)`. Every id that a fact has
 * is in its dictionary, for both are written in one transaction, so no join loses a fact. All ids of a small dictionary, for an inner join with all of them takes a third less than a left join with some; of a crowded one those
 * alone that have a number.
 */
export function numbered(grouping: Grouping, index: number): Numbered {
  const [entry, member] = [at(ENTRY, index), at(MEMBER, index)];
  const { crowded } = grouping;
  const kind = crowded ? sql`` : sql`LEFT`;
  const code = crowded ? sql`v.code` : sql`coalesce(v.code, 0)::INTEGER`;
  return {
    table: sql`${member} AS MATERIALIZED (SELECT ${entry}.id AS id, ${code} AS code
      FROM ${grouping.dictionary ?? sql``} AS ${entry}
      ${kind} JOIN ${at(TOP, index)} AS v ON v.k = ${grouping.text(sql``, entry)})`,
    join: sql`${crowded ? sql`LEFT` : sql``} JOIN ${member} ON ${member}.id = ${grouping.id}`,
    id: crowded ? sql`coalesce(${member}.code, 0)` : sql`${member}.code`,
  };
}

/** Facts of bytes that no connection explains. */
export function unattributed({ source }: Plan): Sql {
  return sql`(SELECT * FROM ${source.aside} WHERE kind = 2)`;
}
