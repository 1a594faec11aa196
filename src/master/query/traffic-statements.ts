import type { Filter } from '../../domain/filter/tree.ts';
import { expression } from './expression.ts';
import type { Grouping } from './grouping.ts';
import type { WallClock } from './hour-of-week.ts';
import type { MinuteRange } from './range.ts';
import { pointOfMinute } from './series-sql.ts';
import type { Source } from './source.ts';
import { listed, type Sql, sql } from './sql.ts';
import { columnsOf, metricOfSums, type SumName, sumColumns, sumNames, sumsOfSums } from './sums-of-facts.ts';
import { MAX_CELLS, type TrafficQuestion } from './traffic-question.ts';

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
const ID = [sql`i0`, sql`i1`, sql`i2`, sql`i3`];
const KEY = [sql`k0`, sql`k1`, sql`k2`, sql`k3`];
const ENTRY = [sql`x0`, sql`x1`, sql`x2`, sql`x3`];
const WIDE = [sql`w0`, sql`w1`, sql`w2`, sql`w3`];
const TOP = [sql`t0`, sql`t1`, sql`t2`, sql`t3`];
const MEMBER = [sql`m0`, sql`m1`, sql`m2`, sql`m3`];

const at = (names: readonly Sql[], index: number): Sql => names[index] ?? sql``;

function condition(plan: Plan, ranges: readonly MinuteRange[]): Sql {
  const { filter, agents } = plan.question;
  const within = ranges.map(({ from, to }) => sql`(bucket >= ${from} AND bucket < ${to})`);
  const tests = [sql`(${listed(within, ' OR ')})`, ...ofQuestion(agents, filter, plan.clock)];
  return listed(tests, ' AND ');
}

function ofQuestion(agents: readonly string[] | null, filter: Filter | null, clock: WallClock): Sql[] {
  const tests: Sql[] = [];
  if (agents !== null) tests.push(agents.length === 0 ? sql`false` : sql`agent IN (${listed(agents)})`);
  if (filter !== null) tests.push(expression(filter, clock.hourOfWeek));
  return tests;
}

function rangesOf({ present, compared }: Plan): MinuteRange[] {
  return compared === null ? [present] : [present, compared];
}

/** A connection is counted anew in every hour of the week that it reaches, as in every point of a series. */
function countFrom({ groupings, clock }: Plan, start: Sql): Sql {
  const byHour = groupings.some(({ name }) => name === 'hour_of_week');
  return byHour ? sql`greatest(${start}, ${clock.hourStart})` : start;
}

function sumsOf(plan: Plan): Sql {
  const { present, compared } = plan;
  return sumColumns(
    plan.sums,
    { range: present, countFrom: countFrom(plan, sql`${present.from}`) },
    compared && { range: compared, countFrom: countFrom(plan, sql`${compared.from}`) },
  );
}

/** Everything together: one row of sums. */
export function wholeStatement(plan: Plan): Sql {
  return sql`SELECT ${sumsOf(plan)} FROM ${plan.source.counted} WHERE ${condition(plan, rangesOf(plan))}`;
}

/** Joins of the dictionaries of some groupings to ids `i0 …` of a table. */
function entries(groupings: readonly Grouping[], table: Sql, wanted: (grouping: Grouping) => boolean): Sql {
  const joins = groupings.map(({ dictionary, ...rest }, index) =>
    dictionary !== null && wanted({ dictionary, ...rest })
      ? sql`LEFT JOIN ${dictionary} AS ${at(ENTRY, index)} ON ${at(ENTRY, index)}.id = ${table}.${at(ID, index)}`
      : sql``,
  );
  return listed(joins, ' ');
}

/**
 * The `top` tuples with most of the metric, each a row `k0 … , <sums>`, and one row with `whole` true for all tuples
 * together, `members` of them. Ties are broken by text. Ids stay ids until the top ones are known, where each stands for
 * a text of its own: names of fifty thousand hosts are looked up for ten.
 */
export function combinationStatement(plan: Plan): Sql {
  const { groupings, question, source } = plan;
  const columns = columnsOf(plan.sums, plan.compared !== null);
  const rank = metricOfSums(question.topBy);
  const ids = listed(groupings.map(({ id }, index) => sql`${id} AS ${at(ID, index)}`));
  const merged = groupings.map((grouping, index) => {
    const id = sql`a.${at(ID, index)}`;
    return grouping.direct ? id : sql`${grouping.text(id, at(ENTRY, index))} AS ${at(ID, index)}`;
  });
  const texts = groupings.map((grouping, index) => {
    const id = sql`t.${at(ID, index)}`;
    return sql`${grouping.direct ? grouping.text(id, at(ENTRY, index)) : id} AS ${at(KEY, index)}`;
  });
  const keys = listed(groupings.map((_, index) => at(KEY, index)));
  const nulls = listed(groupings.map(() => sql`NULL`));
  return sql`WITH
    a AS (SELECT ${ids}, ${sumsOf(plan)} FROM ${source.counted}
      WHERE ${condition(plan, rangesOf(plan))} GROUP BY ALL),
    g AS MATERIALIZED (SELECT ${listed(merged)}, ${sumsOfSums(columns)}
      FROM a ${entries(groupings, sql`a`, ({ direct }) => !direct)} GROUP BY ALL),
    t AS (SELECT * FROM g WHERE ${rank} >= coalesce(
      (SELECT ${rank} AS v FROM g ORDER BY v DESC LIMIT 1 OFFSET ${question.top - 1}), ${rank})),
    n AS (SELECT ${listed(texts)}, ${sumNames(columns)}
      FROM t ${entries(groupings, sql`t`, ({ direct }) => direct)}),
    f AS (SELECT * FROM n ORDER BY ${rank} DESC, ${keys} LIMIT ${question.top})
    SELECT * FROM (
      SELECT false AS whole, ${keys}, ${sumNames(columns)}, 1 AS members FROM f
      UNION ALL SELECT true, ${nulls}, ${sumsOfSums(columns)}, count(*) FROM g)
    ORDER BY whole, ${rank} DESC, ${keys}`;
}

/**
 * Tuples of the `top` values of each dimension, NULL standing for all its other values: rows `k0 …, <sums>`, the
 * largest first, at most `MAX_CELLS` and one. The values of wide dimensions are found first, so that what is grouped
 * after that is few; those of the others come from the groups.
 */
export function eachStatement(plan: Plan): Sql {
  const { groupings, question, source } = plan;
  const columns = columnsOf(plan.sums, plan.compared !== null);
  const rank = metricOfSums(question.topBy);
  const wide = groupings.map(({ wide }) => wide);
  const found = groupings.map((grouping, index) => {
    const text = grouping.text(at(ID, index), at(ENTRY, index));
    return wide[index] ? widest(plan, grouping, index, text) : sql``;
  });
  const ids = groupings.map(({ id }, index) =>
    wide[index] ? sql`${at(MEMBER, index)}.k AS ${at(ID, index)}` : sql`${id} AS ${at(ID, index)}`,
  );
  const members = groupings.map(({ id }, index) =>
    wide[index] ? sql`LEFT JOIN ${at(MEMBER, index)} ON ${at(MEMBER, index)}.id = ${id}` : sql``,
  );
  const texts = groupings.map((grouping, index) => {
    const id = sql`a.${at(ID, index)}`;
    return sql`${wide[index] ? id : grouping.text(id, at(ENTRY, index))} AS ${at(KEY, index)}`;
  });
  const tops = groupings.map((_, index) =>
    wide[index]
      ? sql``
      : sql`, ${at(TOP, index)} AS (SELECT ${at(KEY, index)} AS k FROM g GROUP BY 1
          ORDER BY sum(${rank}) DESC, 1 LIMIT ${question.top})`,
  );
  const kept = groupings.map((_, index) =>
    wide[index]
      ? sql`g.${at(KEY, index)} AS ${at(KEY, index)}`
      : sql`${at(TOP, index)}.k AS ${at(KEY, index)}`,
  );
  const joins = groupings.map((_, index) =>
    wide[index] ? sql`` : sql`LEFT JOIN ${at(TOP, index)} ON ${at(TOP, index)}.k = g.${at(KEY, index)}`,
  );
  const keys = listed(groupings.map((_, index) => at(KEY, index)));
  return sql`WITH ${listed(found, ' ')}
    a AS (SELECT ${listed(ids)}, ${sumsOf(plan)} FROM ${source.counted} ${listed(members, ' ')}
      WHERE ${condition(plan, rangesOf(plan))} GROUP BY ALL),
    g AS MATERIALIZED (SELECT ${listed(texts)}, ${sumsOfSums(columns)}
      FROM a ${entries(groupings, sql`a`, (grouping) => !grouping.wide)} GROUP BY ALL)
    ${listed(tops, ' ')}
    SELECT * FROM (SELECT ${listed(kept)}, ${sumsOfSums(columns)} FROM g ${listed(joins, ' ')} GROUP BY ALL)
    ORDER BY ${rank} DESC, ${keys} LIMIT ${MAX_CELLS + 1}`;
}

/** The top values of a wide dimension, and the ids that stand for them: `m0 (id, k)`. */
function widest(plan: Plan, grouping: Grouping, index: number, text: Sql): Sql {
  const { source, present, question } = plan;
  const rank = metricOfSums(question.topBy);
  const entry = at(ENTRY, index);
  const dictionary = grouping.dictionary ?? sql``;
  return sql`${at(WIDE, index)} AS (SELECT ${grouping.id} AS ${at(ID, index)}, ${sumsOf({ ...plan, compared: null })}
      FROM ${source.counted} WHERE ${condition(plan, [present])} GROUP BY ALL),
    ${at(TOP, index)} AS (SELECT ${text} AS k FROM ${at(WIDE, index)}
      LEFT JOIN ${dictionary} AS ${entry} ON ${entry}.id = ${at(WIDE, index)}.${at(ID, index)}
      GROUP BY 1 ORDER BY sum(${rank}) DESC, 1 LIMIT ${question.top}),
    ${at(MEMBER, index)} AS MATERIALIZED (SELECT ${entry}.id AS id, ${at(TOP, index)}.k AS k
      FROM ${dictionary} AS ${entry} JOIN ${at(TOP, index)} ON ${at(TOP, index)}.k = ${text}),`;
}

/** One row `s`, `place`, `<sums>` for each point and group that has facts; `place` is that of the group, NULL for other. */
export function seriesStatement(
  plan: Plan,
  starts: readonly number[],
  groups: readonly (readonly (string | null)[])[],
): Sql {
  const { groupings, source, present, sums } = plan;
  const columns = columnsOf(sums, false);
  const span = { range: present, countFrom: countFrom(plan, sql`e.s`) };
  const points = pointOfMinute(present, starts, source.width);
  const facts = sql`${source.counted} JOIN e ON e.b = bucket`;
  const where = condition(plan, [present]);
  if (groupings.length === 0) {
    return sql`WITH ${points} SELECT e.s AS s, 0 AS place, ${sumColumns(sums, span, null)}
      FROM ${facts} WHERE ${where} GROUP BY 1`;
  }
  const tuples = groupings.map(
    (_, index) => sql`unnest(${groups.map((group) => group[index] ?? null)}::VARCHAR[]) AS ${at(KEY, index)}`,
  );
  const members = groupings.map((grouping, index) => memberIds(grouping, index));
  const joins = groupings.map((grouping, index) => {
    const member = at(MEMBER, index);
    const match =
      grouping.dictionary === null ? sql`k = ${grouping.text(grouping.id, sql``)}` : sql`id = ${grouping.id}`;
    return sql`LEFT JOIN ${member} ON ${member}.${match}`;
  });
  const keys = groupings.map((_, index) => sql`${at(MEMBER, index)}.k AS ${at(KEY, index)}`);
  const same = groupings.map((_, index) => sql`q.${at(KEY, index)} IS NOT DISTINCT FROM a.${at(KEY, index)}`);
  return sql`WITH ${points},
    q AS MATERIALIZED (SELECT ${listed(tuples)}, unnest(${groups.map((_, index) => index)}::INTEGER[]) AS place),
    ${listed(members)},
    a AS (SELECT e.s AS s, ${listed(keys)}, ${sumColumns(sums, span, null)}
      FROM ${facts} ${listed(joins, ' ')} WHERE ${where} GROUP BY ALL)
    SELECT s, place, ${sumsOfSums(columns)} FROM a LEFT JOIN q ON ${listed(same, ' AND ')} GROUP BY ALL`;
}

/** The values of one dimension among the groups, with the ids that stand for them. */
function memberIds(grouping: Grouping, index: number): Sql {
  const values = sql`(SELECT DISTINCT ${at(KEY, index)} AS k FROM q)`;
  if (grouping.dictionary === null) return sql`${at(MEMBER, index)} AS MATERIALIZED ${values}`;
  const entry = at(ENTRY, index);
  return sql`${at(MEMBER, index)} AS MATERIALIZED (SELECT ${entry}.id AS id, v.k AS k
    FROM ${grouping.dictionary} AS ${entry} JOIN ${values} AS v ON v.k = ${grouping.text(sql``, entry)})`;
}

/**
 * Bytes that no connection explains: the sums of both periods. `filter` is applied where it is about agents and time
 * alone, which is all that such bytes have.
 */
export function unattributedStatement(plan: Plan): Sql {
  return sql`SELECT ${sumsOf(plan)} FROM ${plan.source.aside}
    WHERE kind = 2 AND ${condition(plan, rangesOf(plan))}`;
}

/** The same by point: rows `s`, `<sums>`. */
export function unattributedSeriesStatement(plan: Plan, starts: readonly number[]): Sql {
  const { source, present, sums } = plan;
  const span = { range: present, countFrom: sql`e.s` };
  return sql`WITH ${pointOfMinute(present, starts, source.width)}
    SELECT e.s AS s, ${sumColumns(sums, span, null)} FROM ${source.aside} JOIN e ON e.b = bucket
    WHERE kind = 2 AND ${condition(plan, [present])} GROUP BY 1`;
}
