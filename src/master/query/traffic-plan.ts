import { HALF_HOUR } from '../../domain/bucket.ts';
import { mentions, mentionsOnly } from '../../domain/filter/names.ts';
import { previousRange } from './compared-range.ts';
import { isCountless } from './countless.ts';
import { groupingOf } from './grouping.ts';
import type { WallClock } from './hour-of-week.ts';
import { estimatePoints, LADDER, parseInterval } from './interval.ts';
import { type MinuteRange, resolveRange } from './range.ts';
import { pointsOf } from './series-points.ts';
import type { Source } from './source.ts';
import type { Plan } from './statement-parts.ts';
import { sumsFor } from './sums-of-facts.ts';
import { factsIn, type Kept } from './tier.ts';
import type { TrafficQuestion } from './traffic-question.ts';
import { type View, viewOf } from './view.ts';

/** How a question is answered from what the store holds. */
export interface TrafficPlan extends Plan, View {
  readonly question: TrafficQuestion;
  readonly source: Source;
  readonly clock: WallClock;
  /** Width of the points, `auto` resolved; null for no series. */
  readonly interval: string | null;
  /** Unattributed bytes are a part of what was asked for. */
  readonly unattributedApplies: boolean;
  /** Agents of which something can pass the question; null for all. */
  readonly agentsAsked: readonly string[] | null;
  /** Tuples are so many that the top ones are found without the others, and those are not counted. */
  readonly isCrowded: boolean;
  /** The filter tells facts of one connection apart, so that connections cannot be counted. */
  readonly countless: boolean;
}

/** Facts of which tuples with a wide dimension are not all grouped: of a week of five million connections in 90 days they are. */
const CROWDED_FACTS = 1_000_000;

/** Points that a chart of usual size shows. */
const AUTO_POINTS = 200;

/** Throws `query_too_large` for too many points. */
export function planTraffic(
  question: TrafficQuestion,
  agentsAsked: readonly string[] | null,
  kept: Kept,
  now: number,
  crowdedFacts = CROWDED_FACTS,
): TrafficPlan {
  const asked = resolveRange(question, kept.extent, now);
  const compared = comparedRange(question, asked);
  const countless = isCountless(question.filter);
  const interval = question.interval === 'auto' ? autoInterval(asked, kept) : question.interval;
  const view = viewOf(
    {
      ranges: compared === null ? [asked] : [asked, compared],
      starts: interval === null ? [] : pointsOf(interval, question.tz, asked),
      tz: question.tz,
      byHour: question.groupBy.includes('hour_of_week') || mentions(question.filter, ['hour_of_week']),
      overlay: question.overlay,
    },
    kept,
  );
  const [present, before = null] = view.ranges;
  const groupings = question.groupBy.map((name) => groupingOf(name, view.clock));
  const isCrowded =
    question.topMode === 'combination' &&
    compared === null &&
    groupings.length > 1 &&
    groupings.some(({ wide }) => wide) &&
    factsIn([present], view.source.tier, kept) > crowdedFacts;
  return {
    ...view,
    question,
    groupings,
    isCrowded,
    sums: sumsFor([...question.metrics, question.topBy]),
    present,
    compared: before,
    interval,
    aligned: view.aligned && asked.aligned,
    agentsAsked,
    unattributedApplies: mentionsOnly(question.filter, ['agent', 'hour_of_week']),
    countless,
  };
}

function comparedRange({ compare, tz }: TrafficQuestion, present: MinuteRange): MinuteRange | null {
  if (compare === null) return null;
  if (compare === 'previous') return previousRange(present, tz);
  return resolveRange(compare, null, 0);
}

/** The narrowest usual width that a chart can show; half hours at least where minutes are gone. */
function autoInterval({ from, to }: MinuteRange, { wholeFrom }: Kept): string {
  const fits = (text: string): boolean => {
    const interval = parseInterval(text);
    if (interval === null) return false;
    const tooFine = interval.unit === 'minutes' && interval.minutes < HALF_HOUR && from < wholeFrom.minute;
    return !tooFine && estimatePoints(interval, from, to) <= AUTO_POINTS;
  };
  return LADDER.find(fits) ?? 'month';
}
