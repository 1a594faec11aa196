import { CodedError, type ErrorDetail } from '../../common/errors.ts';
import { HALF_HOUR } from '../../domain/bucket.ts';
import { mentions, mentionsOnly } from '../../domain/filter/names.ts';
import { previousRange } from './compared-range.ts';
import { groupingOf } from './grouping.ts';
import { wallClock } from './hour-of-week.ts';
import { estimatePoints, LADDER, parseInterval } from './interval.ts';
import { type MinuteRange, resolveRange } from './range.ts';
import { pointsOf } from './series-points.ts';
import { type Source, sourceOf } from './source.ts';
import { sumsFor } from './sums-of-facts.ts';
import { chooseTier, type Kept, widened, widenedStarts } from './tier.ts';
import type { TrafficQuestion } from './traffic-question.ts';
import type { Plan } from './traffic-statements.ts';
import { segments } from './zone.ts';

/** How a question is answered from what the store holds. */
export interface TrafficPlan extends Plan {
  readonly question: TrafficQuestion;
  readonly source: Source;
  /** Width of the points, `auto` resolved; null for no series. */
  readonly interval: string | null;
  /** Minutes at which the points begin, the first at the begin of the present or before; empty for no series. */
  readonly starts: readonly number[];
  /** False when bounds or points were moved outwards. */
  readonly aligned: boolean;
  /** What the answer is of: what was asked, or where that had to be moved, what it was moved to. */
  readonly answered: { readonly range: MinuteRange; readonly previous: MinuteRange | null };
  /** First minute that is still there, where the question reaches further back; else null. */
  readonly cutFrom: number | null;
  /** Unattributed bytes are a part of what was asked for. */
  readonly unattributedApplies: boolean;
  /** Agents of which something can pass the question; null for all. */
  readonly agentsAsked: readonly string[] | null;
  /** The filter tells facts of one connection apart, so that connections cannot be counted. */
  readonly countless: boolean;
}

/** Points that a chart of usual size shows. */
const AUTO_POINTS = 200;
const OF_FACTS = ['recovered', 'hour_of_week'];

/** Throws `bad_request` for what is wrong with the question, and `query_too_large` for too many points. */
export function planTraffic(
  question: TrafficQuestion,
  agentsAsked: readonly string[] | null,
  kept: Kept,
  now: number,
): TrafficPlan {
  const asked = resolveRange(question, kept.extent, now);
  const compared = comparedRange(question, asked);
  const ranges = compared === null ? [asked] : [asked, compared];
  const countless = mentions(question.filter, OF_FACTS);
  refuseUncountable(question, countless);
  const interval = question.interval === 'auto' ? autoInterval(asked, kept) : question.interval;
  const points = interval === null ? [] : pointsOf(interval, question.tz, asked);
  const starts = [...points, ...hourStarts(question, ranges)];
  const { tier, aligned, cutFrom } = chooseTier(kept, { ranges, starts });
  const source = sourceOf(tier, kept.watermark, question.overlay);
  const { extent } = kept;
  const present = widened(asked, tier, extent);
  const before = compared && widened(compared, tier, extent);
  const clock = wallClock(
    question.tz,
    ranges.map((range) => widened(range, tier, extent)),
    source.bucket,
  );
  return {
    question,
    source,
    clock,
    groupings: question.groupBy.map((name) => groupingOf(name, clock)),
    sums: sumsFor([...question.metrics, question.topBy]),
    present,
    compared: before,
    answered: aligned ? { range: asked, previous: compared } : { range: present, previous: before },
    interval,
    starts: widenedStarts(points, tier, present),
    aligned: aligned && asked.aligned,
    cutFrom,
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

/** Minutes at which hours begin on the clock of the wall, one for each offset, where the question tells hours apart. */
function hourStarts({ groupBy, filter, tz }: TrafficQuestion, ranges: readonly MinuteRange[]): number[] {
  if (!groupBy.includes('hour_of_week') && !mentions(filter, ['hour_of_week'])) return [];
  return ranges.flatMap(({ from, to }) =>
    segments(tz, from, Math.max(from + 1, to)).map(({ offset }) => -offset),
  );
}

/** Groups cannot be ranked by a count that is not known. */
function refuseUncountable({ topBy, groupBy }: TrafficQuestion, countless: boolean): void {
  const details: ErrorDetail[] = [];
  if (topBy === 'connections' && countless) {
    const problem =
      'cannot be "connections" with a filter by recovered or hour_of_week: facts are filtered, not connections';
    details.push({ field: 'top_by', problem });
  }
  if (topBy === 'connections' && groupBy.includes('recovered')) {
    const problem =
      'cannot be "connections" when grouped by recovered: a connection may have bytes of both kinds';
    details.push({ field: 'top_by', problem });
  }
  if (details.length > 0) throw new CodedError('bad_request', 'the question cannot be answered', { details });
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
