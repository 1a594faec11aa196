import { CodedError } from '../../common/errors.ts';
import type { RunQuery, SqlRow } from '../store/store.ts';
import { labelOfKey } from './grouping.ts';
import { smallestThatFits } from './interval.ts';
import { pointsStatement, seriesStatement, unattributedSeriesStatement } from './series-statements.ts';
import { toNumber } from './sums.ts';
import { sumsFor } from './sums-of-facts.ts';
import type { TrafficGroup, TrafficPart, TrafficTotals } from './traffic-answer.ts';
import type { TrafficPlan } from './traffic-plan.ts';
import { MAX_CELLS } from './traffic-question.ts';
import { addTotals, noTotals, type Reading, subtractTotals, totalsOfRow } from './traffic-rows.ts';
import {
  combinationStatement,
  eachStatement,
  largestCombinationStatement,
  unattributedStatement,
  wholeStatement,
} from './traffic-statements.ts';

/** What the fact store says to a question: nothing in it depends on when it is asked. */
export interface TrafficFacts {
  readonly groups: readonly (Omit<TrafficGroup, 'series'> & { points: Points })[];
  readonly other: (Part & { groups: number | null; points: Points }) | null;
  /** Counted connections together. */
  readonly whole: Part;
  readonly unattributed: Part & { points: Points };
}

/** Totals by point, in order; empty without a series. */
export type Points = readonly TrafficTotals[];

/** Asks the store, one statement after the other, all of one state. Throws `query_too_large`. */
export async function askFacts(run: RunQuery, plan: TrafficPlan): Promise<TrafficFacts> {
  const of = readings(plan);
  const { groups, other, whole, points } = await askGroups(run, plan, of);
  return {
    groups: groups.map((group, index) => ({ ...group, points: points.ofGroup(index) })),
    other: other && { ...other, points: points.ofGroup(null) },
    whole,
    unattributed: await askUnattributed(run, plan, of.unattributed),
  };
}

interface Readings {
  readonly groups: Reading;
  readonly whole: Reading;
  readonly unattributed: Reading;
}

function readings({ question, countless }: TrafficPlan): Readings {
  const { metrics, groupBy } = question;
  return {
    groups: { metrics, countless: countless || groupBy.includes('recovered') },
    whole: { metrics, countless },
    unattributed: { metrics, countless: true },
  };
}

type Part = Omit<TrafficPart, 'series'>;
type Grouped = Omit<TrafficGroup, 'series'>;

interface Together {
  groups: Grouped[];
  other: (Part & { groups: number | null }) | null;
  whole: Part;
}

interface Groups extends Together {
  points: PointsByGroup;
}

async function askGroups(run: RunQuery, plan: TrafficPlan, of: Readings): Promise<Groups> {
  if (plan.groupings.length === 0) return askWhole(run, plan, of.whole);
  const together = await askTogether(run, plan, of);
  refuseTooManyCells(plan, together.groups.length + (together.other === null ? 0 : 1));
  return { ...together, points: await askPoints(run, plan, together, of.groups) };
}

/** One group of everything. */
async function askWhole(run: RunQuery, plan: TrafficPlan, reading: Reading): Promise<Groups> {
  refuseTooManyCells(plan, 1);
  const rows = plan.starts.length === 0 ? [] : await run(pointsStatement(plan, clipped(plan)).render());
  const points = inOrder(rows, plan, reading);
  // The sums of the points are those of the range; a connection counts where the range meets it first.
  const whole =
    rows.length > 0 && plan.compared === null
      ? {
          totals: rows
            .map((row) => totalsOfRow({ ...row, n: row.w }, reading))
            .reduce(addTotals, noTotals(reading)),
          previous: null,
        }
      : partOf((await run(wholeStatement(plan).render()))[0] ?? {}, plan, reading);
  return {
    groups: [{ key: [], labels: [], ...whole }],
    other: null,
    whole,
    points: { ofGroup: () => points },
  };
}

async function askTogether(run: RunQuery, plan: TrafficPlan, of: Readings): Promise<Together> {
  if (plan.isCrowded) return largest(run, plan, of);
  const { groupings, question } = plan;
  if (question.topMode === 'combination' || groupings.length === 1) {
    return combinations(await run(combinationStatement(plan).render()), plan, of);
  }
  return tuples(await run(eachStatement(plan).render()), plan, of);
}

/** Rows of `combinationStatement`. */
function combinations(rows: readonly SqlRow[], plan: TrafficPlan, of: Readings): Together {
  const last = rows.find((row) => row.whole === true) ?? {};
  const groups = rows.filter((row) => row.whole === false).map((row) => groupOf(row, plan, of.groups));
  const members = toNumber(last.members) - groups.length;
  return {
    groups,
    other: members > 0 ? { groups: members, ...restOf(partOf(last, plan, of.groups), groups) } : null,
    whole: partOf(last, plan, of.whole),
  };
}

/** The same where tuples are too many to count. */
async function largest(run: RunQuery, plan: TrafficPlan, of: Readings): Promise<Together> {
  const rows = await run(largestCombinationStatement(plan).render());
  const [all = {}] = await run(wholeStatement(plan).render());
  const groups = rows.map((row) => groupOf(row, plan, of.groups));
  const areAll = rows.every((row) => row.is_all === true);
  return {
    groups,
    other: areAll ? null : { groups: null, ...restOf(partOf(all, plan, of.groups), groups) },
    whole: partOf(all, plan, of.whole),
  };
}

function restOf(whole: Part, groups: readonly Part[]): Part {
  return groups.reduce(
    ({ totals, previous }, group) => ({
      totals: subtractTotals(totals, group.totals),
      previous: previous && group.previous && subtractTotals(previous, group.previous),
    }),
    whole,
  );
}

/** Rows of `eachStatement`; the tuple of nothing but others is `other`. */
function tuples(rows: readonly SqlRow[], plan: TrafficPlan, of: Readings): Together {
  if (rows.length > MAX_CELLS) refuseTooManyCells(plan, rows.length);
  const wholes = rows.map((row) => partOf(row, plan, of.whole));
  const none = partOf({}, plan, of.whole);
  const whole = wholes.reduce(
    (sum, part) => ({
      totals: addTotals(sum.totals, part.totals),
      previous: sum.previous && part.previous && addTotals(sum.previous, part.previous),
    }),
    none,
  );
  const groups = rows.map((row) => groupOf(row, plan, of.groups));
  const other = groups.find(({ key }) => key.every((text) => text === null));
  return {
    groups: groups.filter((group) => group !== other),
    other: other ? { groups: null, totals: other.totals, previous: other.previous } : null,
    whole,
  };
}

function partOf(row: SqlRow, plan: TrafficPlan, reading: Reading): Part {
  const previous = plan.compared === null ? null : totalsOfRow(row, reading, 'p');
  return { totals: totalsOfRow(row, reading), previous };
}

function groupOf(row: SqlRow, plan: TrafficPlan, reading: Reading): Grouped {
  const key = plan.groupings.map((_, index) => {
    const text = row[`k${index}`];
    return text === null || text === undefined ? null : String(text);
  });
  const labels = plan.groupings.map((grouping, index) => {
    const text = key[index] ?? null;
    return text === null ? null : labelOfKey(grouping, text);
  });
  return { key, labels, ...partOf(row, plan, reading) };
}

interface PointsByGroup {
  /** Null: of what is folded. */
  ofGroup(index: number | null): Points;
}

async function askPoints(
  run: RunQuery,
  plan: TrafficPlan,
  { groups, other }: Together,
  reading: Reading,
): Promise<PointsByGroup> {
  const { starts } = plan;
  if (starts.length === 0) return { ofGroup: () => [] };
  const keys = groups.map(({ key }) => key);
  const alone = standAlone(plan);
  const rows = await run(seriesStatement(plan, clipped(plan), keys, alone).render());
  const byGroup = new Map<unknown, SqlRow[]>();
  for (const row of rows) {
    const list = byGroup.get(row.place);
    if (list === undefined) byGroup.set(row.place, [row]);
    else list.push(row);
  }
  const ofGroup = (index: number | null) => inOrder(byGroup.get(index) ?? [], plan, reading);
  if (!alone || other === null) return { ofGroup };
  const whole = inOrder(await run(pointsStatement(plan, clipped(plan)).render()), plan, reading);
  const rest = keys
    .map((_, index) => ofGroup(index))
    .reduce((left, points) => left.map((totals, at) => subtractTotals(totals, points[at] ?? totals)), whole);
  return { ofGroup: (index) => (index === null ? rest : ofGroup(index)) };
}

/**
 * Whether the groups are few facts of many, which are cheaper to find than all are to sort: `other` is then what they
 * leave of the whole. By hour of the week it is not, for a connection counts in each hour.
 */
function standAlone({ groupings, question }: TrafficPlan): boolean {
  const isCombined = question.topMode === 'combination' || groupings.length === 1;
  return isCombined && groupings.some(({ wide }) => wide) && !question.groupBy.includes('hour_of_week');
}

/** One total for each point, in order. */
function inOrder(rows: readonly SqlRow[], plan: TrafficPlan, reading: Reading): Points {
  const byPoint = new Map(rows.map((row) => [Number(row.point), row]));
  return plan.starts.map((_, point) => {
    const row = byPoint.get(point);
    return row === undefined ? noTotals(reading) : totalsOfRow(row, reading);
  });
}

/** A point that began before the range begins, for counting, where the range does. */
function clipped({ starts, present }: TrafficPlan): number[] {
  return starts.map((start) => Math.max(start, present.from));
}

/** Bytes that no connection explains, of the agents asked for: of all of their time where the filter asks for more. */
async function askUnattributed(
  run: RunQuery,
  plan: TrafficPlan,
  reading: Reading,
): Promise<TrafficFacts['unattributed']> {
  const { question, agentsAsked, unattributedApplies: applies, starts, compared } = plan;
  const narrowed: TrafficPlan = {
    ...plan,
    ...(applies ? {} : { question: { ...question, filter: null, agents: agentsAsked } }),
    sums: sumsFor([]),
  };
  const points =
    starts.length === 0 || !applies
      ? []
      : inOrder(await run(unattributedSeriesStatement(narrowed, clipped(plan)).render()), plan, reading);
  const total: Part =
    points.length > 0 && compared === null
      ? { totals: points.reduce(addTotals, noTotals(reading)), previous: null }
      : partOf((await run(unattributedStatement(narrowed).render()))[0] ?? {}, plan, reading);
  return { ...uncounted(total), points: points.map(withoutCounts) };
}

function uncounted(part: Part): Part {
  return { totals: withoutCounts(part.totals), previous: part.previous && withoutCounts(part.previous) };
}

/** Such bytes belong to no connection. */
function withoutCounts(totals: TrafficTotals): TrafficTotals {
  return 'opened' in totals ? { ...totals, opened: null } : totals;
}

/** Names what helps: a wider interval where one fits, else fewer groups. */
function refuseTooManyCells({ question, interval, starts, present }: TrafficPlan, groups: number): void {
  const perPoint = groups * question.metrics.length;
  const cells = perPoint * Math.max(1, starts.length);
  if (cells <= MAX_CELLS) return;
  const points = Math.floor(MAX_CELLS / perPoint);
  const fitting = interval === null || points < 1 ? null : smallestThatFits(present.from, present.to, points);
  const details =
    fitting === null
      ? [{ field: 'top', problem: 'must be smaller: there are too many groups' }]
      : [{ field: 'interval', problem: `use ${fitting} or longer, or a smaller "top"` }];
  const message = `the answer would have ${cells} numbers, more than ${MAX_CELLS}`;
  throw new CodedError('query_too_large', message, { details });
}
