import { expression } from './expression.ts';
import type { Grouping } from './grouping.ts';
import type { WallClock } from './hour-of-week.ts';
import type { MinuteRange } from './range.ts';
import { pointOfMinute } from './series-sql.ts';
import type { Source } from './source.ts';
import { listed, type Sql, sql } from './sql.ts';
import {
  columnsOf,
  countColumn,
  metricOfSums,
  noSumColumns,
  type Period,
  type SumName,
  sumColumns,
  sumNames,
  sumsOfSums,
} from './sums-of-facts.ts';
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

function condition({ question, clock }: Plan, { from, to }: MinuteRange): Sql {
  const { agents, filter } = question;
  const tests = [sql`bucket >= ${from} AND bucket < ${to}`];
  if (agents !== null) tests.push(agents.length === 0 ? sql`false` : sql`agent IN (${listed(agents)})`);
  if (filter !== null) tests.push(expression(filter, clock.hourOfWeek));
  return listed(tests, ' AND ');
}

/** A connection is counted anew in every hour of the week that it reaches, as in every point of a series. */
function countFrom({ groupings, clock }: Plan, start: Sql): Sql {
  const byHour = groupings.some(({ name }) => name === 'hour_of_week');
  return byHour ? sql`greatest(${start}, ${clock.hourStart})` : start;
}

interface Summed {
  /** `<value> AS <name>, …` to group by; absent for one row. */
  readonly ids?: readonly Sql[];
  /** Behind FROM. */
  readonly from: Sql;
}

/**
 * `<ids>, <sums>` of the facts of both periods. Each period is read by itself, with 0 for the sums of the other: sums
 * under a condition of time would cost twice as much. So with a comparison a group has up to two rows.
 */
function summed(plan: Plan, { ids = [], from }: Summed): Sql {
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

/** Everything together: one row of sums. */
export function wholeStatement(plan: Plan): Sql {
  return together(plan, plan.source.counted);
}

function together(plan: Plan, from: Sql): Sql {
  const all = summed(plan, { from });
  return plan.compared === null ? all : sql`SELECT ${sumsOfSums(columnsOf(plan.sums, true))} FROM (${all})`;
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
  const ids = groupings.map(({ id }, index) => sql`${id} AS ${at(ID, index)}`);
  const rows = summed(plan, { ids, from: source.counted });
  const merged = groupings.map((grouping, index) => {
    const id = sql`a.${at(ID, index)}`;
    return grouping.direct ? id : sql`${grouping.text(id, at(ENTRY, index))} AS ${at(ID, index)}`;
  });
  // Grouping a million pairs twice is what such a question would cost most.
  const isMerged = plan.compared === null && groupings.every(({ direct }) => direct);
  const groups = isMerged
    ? rows
    : sql`SELECT ${listed(merged)}, ${sumsOfSums(columns)}
      FROM (${rows}) AS a ${entries(groupings, sql`a`, ({ direct }) => !direct)} GROUP BY ALL`;
  const texts = groupings.map((grouping, index) => {
    const id = sql`t.${at(ID, index)}`;
    return sql`${grouping.direct ? grouping.text(id, at(ENTRY, index)) : id} AS ${at(KEY, index)}`;
  });
  const keys = listed(groupings.map((_, index) => at(KEY, index)));
  const nulls = listed(groupings.map(() => sql`NULL`));
  return sql`WITH
    g AS MATERIALIZED (${groups}),
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
  const found = groupings.map((grouping, index) =>
    grouping.wide ? sql`${widest(plan, grouping, index)},` : sql``,
  );
  const numbers = groupings.map((grouping, index) =>
    grouping.wide ? numbered(grouping, index) : { id: grouping.id, join: sql`` },
  );
  const ids = numbers.map(({ id }, index) => sql`${id} AS ${at(ID, index)}`);
  const members = numbers.map(({ join }) => join);
  const texts = groupings.map((grouping, index) => {
    const id = sql`a.${at(ID, index)}`;
    const text = grouping.wide ? sql`${at(TOP, index)}.k` : grouping.text(id, at(ENTRY, index));
    return sql`${text} AS ${at(KEY, index)}`;
  });
  const topTexts = groupings.map(({ wide }, index) =>
    wide ? sql`LEFT JOIN ${at(TOP, index)} ON ${at(TOP, index)}.code = a.${at(ID, index)}` : sql``,
  );
  const tops = groupings.map(({ wide }, index) =>
    wide
      ? sql``
      : sql`, ${at(TOP, index)} AS (SELECT ${at(KEY, index)} AS k FROM g GROUP BY 1
          ORDER BY sum(${rank}) DESC, 1 LIMIT ${question.top})`,
  );
  const kept = groupings.map(({ wide }, index) =>
    wide ? sql`g.${at(KEY, index)} AS ${at(KEY, index)}` : sql`${at(TOP, index)}.k AS ${at(KEY, index)}`,
  );
  const joins = groupings.map(({ wide }, index) =>
    wide ? sql`` : sql`LEFT JOIN ${at(TOP, index)} ON ${at(TOP, index)}.k = g.${at(KEY, index)}`,
  );
  const keys = listed(groupings.map((_, index) => at(KEY, index)));
  const from = sql`${source.counted} ${listed(members, ' ')}`;
  return sql`WITH ${listed(found, ' ')}
    a AS (${summed(plan, { ids, from })}),
    g AS MATERIALIZED (SELECT ${listed(texts)}, ${sumsOfSums(columns)}
      FROM a ${entries(groupings, sql`a`, ({ wide }) => !wide)} ${listed(topTexts, ' ')} GROUP BY ALL)
    ${listed(tops, ' ')}
    SELECT * FROM (SELECT ${listed(kept)}, ${sumsOfSums(columns)} FROM g ${listed(joins, ' ')} GROUP BY ALL)
    ORDER BY ${rank} DESC, ${keys} LIMIT ${MAX_CELLS + 1}`;
}

/** The top values of a wide dimension by number, `t0 (k, code)`, and the number of every id, `m0 (id, code)`. */
function widest(plan: Plan, grouping: Grouping, index: number): Sql {
  const { source, question } = plan;
  const rank = metricOfSums(question.topBy);
  const entry = at(ENTRY, index);
  const values = summed(
    { ...plan, compared: null },
    {
      ids: [sql`${grouping.id} AS ${at(ID, index)}`],
      from: source.counted,
    },
  );
  return sql`${at(WIDE, index)} AS (${values}),
    ${at(TOP, index)} AS MATERIALIZED (SELECT k, row_number() OVER ()::INTEGER AS code FROM (
      SELECT ${grouping.text(sql``, entry)} AS k FROM ${at(WIDE, index)}
      LEFT JOIN ${grouping.dictionary ?? sql``} AS ${entry} ON ${entry}.id = ${at(WIDE, index)}.${at(ID, index)}
      GROUP BY 1 ORDER BY sum(${rank}) DESC, 1 LIMIT ${question.top})),
    ${numbered(grouping, index).table}`;
}

interface Numbered {
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
function numbered(grouping: Grouping, index: number): Numbered {
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

/**
 * One row `point`, `<sums>` for each point that has facts, by its place in `starts`; with connections also `w`, those
 * that are counted there in the whole range for the first time, so that the whole needs no statement of its own.
 */
export function pointsStatement(plan: Plan, starts: readonly number[]): Sql {
  const { source, present, sums } = plan;
  const whole = sums.includes('n') ? sql`, ${countColumn(sql`${present.from}`)} AS w` : sql``;
  return sql`WITH ${pointOfMinute(present, starts, source.width)}
    SELECT e.point AS point, ${sumColumns(sums, sql`e.s`, 'present')} ${whole}
    FROM ${source.counted} JOIN e ON e.b = bucket WHERE ${condition(plan, present)} GROUP BY 1`;
}

type Key = readonly (string | null)[];

/** One row `point`, `place`, `<sums>` for each point and group that has facts; `place` is NULL for other. */
export function seriesStatement(plan: Plan, starts: readonly number[], groups: readonly Key[]): Sql {
  const { groupings, source, present, sums } = plan;
  const ofPoint = sumColumns(sums, countFrom(plan, sql`e.s`), 'present');
  const coded = groupings.map((grouping, index) => codedGrouping(grouping, index, groups));
  const codes = coded.map(({ codes }, index) => sql`unnest(${codes}::INTEGER[]) AS ${at(KEY, index)}`);
  const same = coded.map(({ code }, index) => sql`q.${at(KEY, index)} = ${code}`);
  return sql`WITH ${pointOfMinute(present, starts, source.width)},
    q AS MATERIALIZED (SELECT ${listed(codes)}, unnest(${groups.map((_, index) => index)}::INTEGER[]) AS place),
    ${listed(coded.map(({ tables }) => tables))},
    a AS (SELECT e.point AS point, ${listed(coded.map(({ id }) => id))}, ${ofPoint}
      FROM ${source.counted} JOIN e ON e.b = bucket ${listed(
        coded.map(({ join }) => join),
        ' ',
      )}
      WHERE ${condition(plan, present)} GROUP BY ALL)
    SELECT point, place, ${sumsOfSums(columnsOf(sums, false))} FROM a ${listed(
      coded.map(({ text }) => text),
      ' ',
    )}
    LEFT JOIN q ON ${listed(same, ' AND ')} GROUP BY ALL`;
}

/** One dimension of a series by group, whose values have numbers from 1; 0 stands for every other value. */
interface Coded {
  /** The number of each group's value. */
  codes: readonly number[];
  /** The values with their numbers, and where there is a dictionary, its ids with theirs. */
  tables: Sql;
  join: Sql;
  /** What facts are grouped by: the number, or without a dictionary the value. */
  id: Sql;
  /** Over the groups `a`: what joins the number of a value, and the number. */
  text: Sql;
  code: Sql;
}

function codedGrouping(grouping: Grouping, index: number, groups: readonly Key[]): Coded {
  const top = at(TOP, index);
  const id = sql`a.${at(ID, index)}`;
  const texts = groups.map((group) => group[index] ?? null);
  const values = [...new Set(texts)].filter((text) => text !== null);
  const numbers = values.map((_, place) => place + 1);
  const table = sql`${top} AS MATERIALIZED (SELECT unnest(${values}::VARCHAR[]) AS k, unnest(${numbers}::INTEGER[]) AS code)`;
  const codes = texts.map((text) => (text === null ? 0 : values.indexOf(text) + 1));
  if (grouping.dictionary === null) {
    return {
      codes,
      tables: table,
      join: sql``,
      id: sql`${grouping.id} AS ${at(ID, index)}`,
      text: sql`LEFT JOIN ${top} ON ${top}.k = ${grouping.text(id, sql``)}`,
      code: sql`coalesce(${top}.code, 0)`,
    };
  }
  const number = numbered(grouping, index);
  return {
    codes,
    tables: sql`${table}, ${number.table}`,
    join: number.join,
    id: sql`${number.id} AS ${at(ID, index)}`,
    text: sql``,
    code: id,
  };
}

/**
 * Bytes that no connection explains: the sums of both periods. `filter` is applied where it is about agents and time
 * alone, which is all that such bytes have.
 */
export function unattributedStatement(plan: Plan): Sql {
  return together(plan, unattributed(plan));
}

/** The same by point: rows `point`, `<sums>`. */
export function unattributedSeriesStatement(plan: Plan, starts: readonly number[]): Sql {
  const { source, present, sums } = plan;
  return sql`WITH ${pointOfMinute(present, starts, source.width)}
    SELECT e.point AS point, ${sumColumns(sums, sql`e.s`, 'present')} FROM ${unattributed(plan)} JOIN e ON e.b = bucket
    WHERE ${condition(plan, present)} GROUP BY 1`;
}

function unattributed({ source }: Plan): Sql {
  return sql`(SELECT * FROM ${source.aside} WHERE kind = 2)`;
}
