import type { Grouping } from './grouping.ts';
import { factsByTime, pointOfMinute } from './series-sql.ts';
import { listed, type Sql, sql } from './sql.ts';
import {
  at,
  condition,
  countFrom,
  ID,
  KEY,
  MEMBER,
  numbered,
  type Plan,
  TOP,
  unattributed,
} from './statement-parts.ts';
import { columnsOf, countColumn, sumColumns, sumsOfSums } from './sums-of-facts.ts';

/**
 * One row `point`, `<sums>` for each point that has facts, by its place in `starts`; with connections also `w`, those
 * that are counted there in the whole range for the first time, so that the whole needs no statement of its own.
 */
export function pointsStatement(plan: Plan, starts: readonly number[]): Sql {
  const { source, present, sums } = plan;
  const whole = sums.includes('n') ? sql`, ${countColumn(sql`${present.from}`)} AS w` : sql``;
  return sql`WITH ${pointOfMinute(present, starts, source.width)}
    SELECT e.point AS point, ${sumColumns(sums, sql`e.s`, 'present')} ${whole}
    FROM ${factsByTime(source, condition(plan, present), sums)} AS f JOIN e ON e.b = f.bucket GROUP BY 1`;
}

type Key = readonly (string | null)[];

/**
 * One row `point`, `place`, `<sums>` for each point and group that has facts. `place` is NULL for other, which
 * `groupsAlone` leaves out: then facts of other values of a wide dimension are not even grouped.
 */
export function seriesStatement(
  plan: Plan,
  starts: readonly number[],
  groups: readonly Key[],
  groupsAlone = false,
): Sql {
  const { groupings, source, present, sums } = plan;
  const ofPoint = sumColumns(sums, countFrom(plan, sql`e.s`), 'present');
  const coded = groupings.map((grouping, index) => codedGrouping(grouping, index, groups, groupsAlone));
  const codes = coded.map(({ codes }, index) => sql`unnest(${codes}::INTEGER[]) AS ${at(KEY, index)}`);
  const same = coded.map(({ code }, index) => sql`q.${at(KEY, index)} = ${code}`);
  const tests = [condition(plan, present), ...coded.flatMap(({ test }) => test)];
  return sql`WITH ${pointOfMinute(present, starts, source.width)},
    q AS MATERIALIZED (SELECT ${listed(codes)}, unnest(${groups.map((_, index) => index)}::INTEGER[]) AS place),
    ${listed(coded.map(({ tables }) => tables))},
    a AS (SELECT e.point AS point, ${listed(coded.map(({ id }) => id))}, ${ofPoint}
      FROM ${source.counted} JOIN e ON e.b = bucket ${listed(
        coded.map(({ join }) => join),
        ' ',
      )}
      WHERE ${listed(tests, ' AND ')} GROUP BY ALL)
    SELECT point, place, ${sumsOfSums(columnsOf(sums, false))} FROM a ${listed(
      coded.map(({ text }) => text),
      ' ',
    )}
    ${groupsAlone ? sql`` : sql`LEFT`} JOIN q ON ${listed(same, ' AND ')} GROUP BY ALL`;
}

/** One dimension of a series by group, whose values have numbers from 1; 0 stands for every other value. */
interface Coded {
  /** The number of each group's value. */
  codes: readonly number[];
  /** The values with their numbers, and where there is a dictionary, its ids with theirs. */
  tables: Sql;
  join: Sql;
  /** What facts must pass. */
  test: readonly Sql[];
  /** What facts are grouped by: the number, the id, or without a dictionary the value. */
  id: Sql;
  /** Over the groups `a`: what joins the number of a value, and the number. */
  text: Sql;
  code: Sql;
}

function codedGrouping(
  grouping: Grouping,
  index: number,
  groups: readonly Key[],
  groupsAlone: boolean,
): Coded {
  const top = at(TOP, index);
  const id = sql`a.${at(ID, index)}`;
  const texts = groups.map((group) => group[index] ?? null);
  const values = [...new Set(texts)].filter((text) => text !== null);
  const numbers = values.map((_, place) => place + 1);
  const table = sql`${top} AS MATERIALIZED (SELECT unnest(${values}::VARCHAR[]) AS k, unnest(${numbers}::INTEGER[]) AS code)`;
  const codes = texts.map((text) => (text === null ? 0 : values.indexOf(text) + 1));
  const ofFact = sql`${grouping.id} AS ${at(ID, index)}`;
  if (grouping.dictionary === null) {
    return {
      codes,
      tables: table,
      join: sql``,
      test: [],
      id: ofFact,
      text: sql`LEFT JOIN ${top} ON ${top}.k = ${grouping.text(id, sql``)}`,
      code: sql`coalesce(${top}.code, 0)`,
    };
  }
  const number = numbered(grouping, index);
  const tables = sql`${table}, ${number.table}`;
  if (groupsAlone && grouping.crowded) {
    const member = at(MEMBER, index);
    return {
      codes,
      tables,
      join: sql``,
      test: [sql`${grouping.id} IN (SELECT id FROM ${member})`],
      id: ofFact,
      text: sql`JOIN ${member} ON ${member}.id = ${id}`,
      code: sql`${member}.code`,
    };
  }
  return {
    codes,
    tables,
    join: number.join,
    test: [],
    id: sql`${number.id} AS ${at(ID, index)}`,
    text: sql``,
    code: id,
  };
}

/** The same by point: rows `point`, `<sums>`. */
export function unattributedSeriesStatement(plan: Plan, starts: readonly number[]): Sql {
  const { source, present, sums } = plan;
  return sql`WITH ${pointOfMinute(present, starts, source.width)}
    SELECT e.point AS point, ${sumColumns(sums, sql`e.s`, 'present')} FROM ${unattributed(plan)} JOIN e ON e.b = bucket
    WHERE ${condition(plan, present)} GROUP BY 1`;
}
