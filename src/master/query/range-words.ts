import { MINUTE_MS } from '../../domain/bucket.ts';
import { type Interval, pointStarts } from './interval.ts';

/** What can be said instead of two bounds: so much time up to now, or a period of the calendar. */
export const RANGE_WORDS = [
  '15m',
  '1h',
  '6h',
  '24h',
  '7d',
  '30d',
  '90d',
  '1y',
  'today',
  'yesterday',
  'week',
  'month',
] as const;
export type RangeWord = (typeof RANGE_WORDS)[number];

/** Epoch ms, half-open; an absent bound is open. */
export interface Bounds {
  from?: number | undefined;
  to?: number | undefined;
}

const HOUR = 60;
const DAY = 24 * HOUR;

/** Minutes up to now. Days of 24 hours, in every zone: a length that means the same wherever it is read. */
const LENGTHS = {
  '15m': 15,
  '1h': HOUR,
  '6h': 6 * HOUR,
  '24h': DAY,
  '7d': 7 * DAY,
  '30d': 30 * DAY,
  '90d': 90 * DAY,
  '1y': 365 * DAY,
} as const satisfies Partial<Record<RangeWord, number>>;

const DAYS: Interval = { unit: 'minutes', minutes: DAY };
const WEEKS: Interval = { unit: 'minutes', minutes: 7 * DAY };
const MONTHS: Interval = { unit: 'month' };

/**
 * The bounds of a word at a moment (epoch ms), on whole minutes: what goes on reaches to the end of the running
 * minute. Days, weeks (from Monday) and months begin by the clock of the zone, so they have 23 or 25 hours more or
 * less where it is changed.
 */
export function rangeOf(word: RangeWord, zone: string, now: number): { from: number; to: number } {
  const to = Math.ceil(now / MINUTE_MS);
  const running = Math.floor(now / MINUTE_MS);
  switch (word) {
    case 'today':
      return bounds(beginOf(DAYS, zone, running), to);
    case 'yesterday': {
      const end = beginOf(DAYS, zone, running);
      return bounds(beginOf(DAYS, zone, end - 1), end);
    }
    case 'week':
      return bounds(beginOf(WEEKS, zone, running), to);
    case 'month':
      return bounds(beginOf(MONTHS, zone, running), to);
    default:
      return bounds(to - LENGTHS[word], to);
  }
}

/** The first minute of the period that holds one. */
function beginOf(interval: Interval, zone: string, minute: number): number {
  return pointStarts(interval, zone, minute, minute + 1)[0] ?? minute;
}

/** From minutes; never empty, not even in the very first instant of a period. */
function bounds(from: number, to: number): { from: number; to: number } {
  return { from: from * MINUTE_MS, to: Math.max(to, from + 1) * MINUTE_MS };
}
