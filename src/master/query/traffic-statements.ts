import type { Grouping } from './grouping.ts';
import { listed, type Sql, sql } from './sql.ts';
import {
  at,
  ENTRY,
  entries,
  ID,
  KEY,
  numbered,
  type Plan,
  summed,
  TOP,
  unattributed,
} from './statement-parts.ts';
import { columnsOf, metricOfSums, sumNames, sumsFor, sumsOfSums } from './sums-of-facts.ts';
import { MAX_CELLS } from './traffic-question.ts';

/** Names by the place of a dimension: the totals of its ids. */
const WIDE = [sql`w0`, sql`w1`, sql`w2`, sql`w3`];

/** Everything together: one row of sums. */
export function wholeStatement(plan: Plan): Sql {
  return together(plan, plan.source.counted);
}

function together(plan: Plan, from: Sql): Sql {
  const all = summed(plan, { from });
  return plan.compared === null ? all : sql`SELECT ${sumsOfSums(columnsOf(plan.sums, true))} FROM (${all})`;
}

/**
 * The `top` tuples with most of the metric, each a row `k0 … , <sums>`, and one row with `whole` true for all tuples
 * together, `members` of them. Ties are broken by text.
 */
export function combinationStatement(plan: Plan): Sql {
  const columns = columnsOf(plan.sums, plan.compared !== null);
  return sql`WITH g AS MATERIALIZED (${tuples(plan)}), ${largestTuples(plan)}
    SELECT * FROM (SELECT false AS whole, *, 1 AS members FROM f
      UNION ALL SELECT true, ${noKeys(plan)}, ${sumsOfSums(columns)}, count(*) FROM g)
    ORDER BY whole, ${ranking(plan)}`;
}

/**
 * The same tuples, without the row for all, of facts so many that a tuple for most of them would not fit: those of one
 * wide dimension's largest values say how much the last of the top tuples has at least, and no tuple has more than its
 * value. What is left of a million and a half pairs are those of some dozens of values. `isAll`: there are no others. No comparison.
 */
export function largestCombinationStatement(plan: Plan): Sql {
  const { groupings, question, source } = plan;
  const place = groupings.findIndex(({ wide }) => wide);
  const grouping = groupings[place];
  if (grouping === undefined) throw new Error('no dimension of the question is wide');
  const rank = metricOfSums(question.topBy);
  const ranked = { ...plan, sums: sumsFor([question.topBy]) };
  const ids = summed(ranked, { ids: [sql`${grouping.id} AS ${at(ID, 0)}`], from: source.counted });
  const entry = at(ENTRY, 0);
  const values = grouping.direct
    ? sql`SELECT ${at(ID, 0)} AS k, * FROM (${ids})`
    : sql`SELECT ${grouping.text(sql``, entry)} AS k, ${sumsOfSums(columnsOf(ranked.sums, false))}
      FROM (${ids}) AS a ${entries([grouping], sql`a`, () => true)} GROUP BY 1`;
  // A join with few takes a sixth less than `IN`.
  const idsOf = (some: Sql) =>
    grouping.direct
      ? sql`SELECT k AS id FROM ${some}`
      : sql`SELECT ${entry}.id AS id FROM ${grouping.dictionary ?? sql``} AS ${entry}
        JOIN ${some} ON ${some}.k = ${grouping.text(sql``, entry)}`;
  const having = (some: Sql) => sql`${source.counted} JOIN (${idsOf(some)}) AS y ON y.id = ${grouping.id}`;
  const [few, many] = [sql`b`, sql`c`];
  return sql`WITH
    v AS MATERIALIZED (${values}),
    b AS MATERIALIZED (SELECT k FROM v ORDER BY ${rank} DESC LIMIT ${question.top}),
    s AS (${tuples(ranked, having(few))}),
    c AS MATERIALIZED (SELECT k FROM v WHERE ${rank} >= coalesce(
      (SELECT ${rank} AS v FROM s ORDER BY v DESC LIMIT 1 OFFSET ${question.top - 1}), ${rank})),
    g AS MATERIALIZED (${tuples(plan, having(many))}), ${largestTuples(plan)}
    SELECT *, (SELECT count(*) FROM g) <= ${question.top} AND (SELECT count(*) FROM c) = (SELECT count(*) FROM v) AS is_all
    FROM f ORDER BY ${ranking(plan)}`;
}

/** All tuples `i0 …, <sums>`: an id where each id stands for a text of its own, else a text. */
function tuples(plan: Plan, from: Sql = plan.source.counted): Sql {
  const { groupings } = plan;
  const ids = groupings.map(({ id }, index) => sql`${id} AS ${at(ID, index)}`);
  const rows = summed(plan, { ids, from });
  // Grouping a million pairs twice is what such a question would cost most.
  if (plan.compared === null && groupings.every(({ direct }) => direct)) return rows;
  const merged = groupings.map((grouping, index) => {
    const id = sql`a.${at(ID, index)}`;
    return grouping.direct ? id : sql`${grouping.text(id, at(ENTRY, index))} AS ${at(ID, index)}`;
  });
  return sql`SELECT ${listed(merged)}, ${sumsOfSums(columnsOf(plan.sums, plan.compared !== null))}
    FROM (${rows}) AS a ${entries(groupings, sql`a`, ({ direct }) => !direct)} GROUP BY ALL`;
}

/**
 * From tuples `g (i0 …, <sums>)` the `top` ones, `f (k0 …, <sums>)`. Ids stay ids until those are known: names of fifty
 * thousand hosts are looked up for ten.
 */
function largestTuples(plan: Plan): Sql {
  const { groupings, question } = plan;
  const columns = columnsOf(plan.sums, plan.compared !== null);
  const rank = metricOfSums(question.topBy);
  const texts = groupings.map((grouping, index) => {
    const id = sql`t.${at(ID, index)}`;
    return sql`${grouping.direct ? grouping.text(id, at(ENTRY, index)) : id} AS ${at(KEY, index)}`;
  });
  return sql`t AS (SELECT * FROM g WHERE ${rank} >= coalesce(
      (SELECT ${rank} AS v FROM g ORDER BY v DESC LIMIT 1 OFFSET ${question.top - 1}), ${rank})),
    n AS (SELECT ${listed(texts)}, ${sumNames(columns)}
      FROM t ${entries(groupings, sql`t`, ({ direct }) => direct)}),
    f AS (SELECT * FROM n ORDER BY ${ranking(plan)} LIMIT ${question.top})`;
}

/** Behind ORDER BY, over `k0 …, <sums>`. */
function ranking({ groupings, question }: Plan): Sql {
  return sql`${metricOfSums(question.topBy)} DESC, ${listed(groupings.map((_, index) => at(KEY, index)))}`;
}

function noKeys({ groupings }: Plan): Sql {
  return listed(groupings.map(() => sql`NULL`));
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

/**
 * Bytes that no connection explains: the sums of both periods. `filter` is applied where it is about agents and time
 * alone, which is all that such bytes have.
 */
export function unattributedStatement(plan: Plan): Sql {
  return together(plan, unattributed(plan));
}
