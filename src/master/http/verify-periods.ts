import { CodedError } from '../../common/errors.ts';
import { MINUTE_MS, minuteOf } from '../../domain/bucket.ts';
import { estimatePoints, type Interval, pointStarts } from '../query/interval.ts';
import { formatIn } from '../query/zone.ts';
import type { Period } from '../records/query.ts';

export const VERIFY_GROUPS = ['day', 'month', 'range'] as const;
export type VerifyGroup = (typeof VERIFY_GROUPS)[number];

/** A period with its name: `2026-01-31`, `2026-01`, or null for the whole range. */
export interface NamedPeriod extends Period {
  readonly name: string | null;
}

/** Longer than half hours are kept by default (400 days). */
const MAX_PERIODS = 500;
const INTERVALS: Readonly<Record<'day' | 'month', Interval>> = {
  day: { unit: 'minutes', minutes: 1440 },
  month: { unit: 'month' },
};

/** The periods of a range, days and months by the clock of the zone; bounds inside a minute are moved outwards. */
export function verifyPeriods(group: VerifyGroup, zone: string, from: number, to: number): NamedPeriod[] {
  const first = minuteOf(from);
  const last = Math.ceil(to / MINUTE_MS);
  if (group === 'range') return [named(null, first, last)];
  const interval = INTERVALS[group];
  if (estimatePoints(interval, first, last) > MAX_PERIODS) {
    throw tooManyPeriods(group, first, last);
  }
  const starts = pointStarts(interval, zone, first, last);
  return starts.map((start, index) => {
    const name = formatIn(zone, start).slice(0, group === 'day' ? 10 : 7);
    return named(name, Math.max(first, start), starts[index + 1] ?? last);
  });
}

/** Periods moved outwards to whole steps (minutes), as the sums that they are set against. */
export function inSteps(periods: readonly NamedPeriod[], step: number): NamedPeriod[] {
  const width = step * MINUTE_MS;
  const floor = (at: number) => Math.floor(at / width) * width;
  return periods.map((period, index) => ({
    ...period,
    from: floor(period.from),
    to: index === periods.length - 1 ? Math.ceil(period.to / width) * width : floor(period.to),
  }));
}

/**
 * Periods without what lies before an instant (epoch ms). Retention takes both sides of the books from there, but not at
 * one moment, and leaves of either what came late for a while.
 */
export function keptPeriods(periods: readonly NamedPeriod[], keptFrom: number): NamedPeriod[] {
  return periods
    .filter(({ to }) => to > keptFrom)
    .map((period) => ({ ...period, from: Math.max(period.from, keptFrom) }));
}

/** Names only groups that would do. */
function tooManyPeriods(group: 'day' | 'month', first: number, last: number): CodedError {
  const months = group === 'day' && estimatePoints(INTERVALS.month, first, last) <= MAX_PERIODS;
  const use = months ? 'group=month or group=range' : 'group=range';
  return new CodedError('query_too_large', `more than ${MAX_PERIODS} periods; use ${use}`, {
    details: [{ field: 'group', problem: `use ${use}, or less time between "from" and "to"` }],
  });
}

/** The start of the day that holds an instant, epoch ms. */
export function dayStart(zone: string, at: number): number {
  const minute = minuteOf(at);
  return (pointStarts(INTERVALS.day, zone, minute, minute + 1)[0] ?? minute) * MINUTE_MS;
}

function named(name: string | null, from: number, to: number): NamedPeriod {
  return { name, from: from * MINUTE_MS, to: to * MINUTE_MS };
}
