import { MINUTE_MS } from '../../domain/bucket.ts';
import { segments } from './zone.ts';

/** Width of a point of a series: so many minutes of local time, or a calendar month. */
export type Interval = { unit: 'minutes'; minutes: number } | { unit: 'month' };

const HOUR = 60;
const DAY = 1440;
const WEEK = 7 * DAY;
/** 5 January 1970 was a Monday, where ISO weeks begin. */
const FIRST_MONDAY = 4 * DAY;

const NAMED: Readonly<Record<string, number>> = { minute: 1, hour: HOUR, day: DAY, week: WEEK };
const UNITS: Readonly<Record<string, number>> = { m: 1, h: HOUR, d: DAY, w: WEEK };

/**
 * `minute`, `hour`, `day`, `week`, `month`, or a multiple such as `5m`, `6h`, `2d`, `4w`; null for anything else.
 * Parts of a day must divide it, so that every day begins with a point of its own.
 */
export function parseInterval(text: string): Interval | null {
  if (text === 'month') return { unit: 'month' };
  const named = Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
  if (named !== undefined) return { unit: 'minutes', minutes: named };
  const match = /^([1-9]\d{0,2})([mhdw])$/.exec(text);
  if (!match) return null;
  const minutes = Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0);
  if (minutes < DAY ? DAY % minutes !== 0 : minutes % DAY !== 0) return null;
  return { unit: 'minutes', minutes };
}

/** A whole number that is the same for all local minutes of one point and grows from point to point. */
function labelOf(interval: Interval, local: number): number {
  if (interval.unit === 'month') {
    const date = new Date(local * MINUTE_MS);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  }
  const { minutes } = interval;
  return Math.floor((local - (minutes % WEEK === 0 ? FIRST_MONDAY : 0)) / minutes);
}

/** First local minute of the point with that label. */
function beginOf(interval: Interval, label: number): number {
  if (interval.unit === 'month') return Date.UTC(Math.floor(label / 12), label % 12) / MINUTE_MS;
  return label * interval.minutes + (interval.minutes % WEEK === 0 ? FIRST_MONDAY : 0);
}

/** Local time never differs by more than this from UTC, nor jumps by more. */
const SLACK = 2 * DAY;

function longest(interval: Interval): number {
  return interval.unit === 'month' ? 31 * DAY : interval.minutes;
}

/**
 * Starts of all points that touch `[from, to)`, in minutes since the epoch, the first at or before `from`.
 *
 * Points follow the clock on the wall: a point begins where its local time begins, or where the clock jumps into
 * it. An hour that the clock repeats is two points of an hour or less; a longer point takes the repetition in, so
 * days have 23 or 25 hours and none appears twice.
 */
export function pointStarts(interval: Interval, zone: string, from: number, to: number): number[] {
  if (to <= from) return [];
  const repeats = interval.unit === 'minutes' && interval.minutes <= HOUR;
  const begin = from - longest(interval) - SLACK;
  const starts: number[] = [];
  let newest = Number.NEGATIVE_INFINITY;
  for (const segment of segments(zone, begin, to)) {
    const first = labelOf(interval, segment.from + segment.offset);
    const last = labelOf(interval, segment.to - 1 + segment.offset);
    for (let label = first; label <= last; label++) {
      const at = Math.max(segment.from, beginOf(interval, label) - segment.offset);
      const whole = at + segment.offset === beginOf(interval, label);
      if (label > newest || (repeats && whole)) starts.push(at);
      newest = Math.max(newest, label);
    }
  }
  const current = starts.findLastIndex((start) => start <= from);
  return starts.slice(Math.max(0, current));
}

/** How many points `pointStarts` gives, about: to refuse before computing them. */
export function estimatePoints(interval: Interval, from: number, to: number): number {
  const width = interval.unit === 'month' ? 28 * DAY : interval.minutes;
  return Math.ceil((to - from) / width);
}

/** Usual widths, narrowest first. */
export const LADDER = ['1m', '5m', '15m', '30m', 'hour', '6h', 'day', 'week', 'month'] as const;

/** The narrowest usual interval that stays within so many points; null where even months are too many. */
export function smallestThatFits(from: number, to: number, points: number): string | null {
  const fits = (text: string) => {
    const interval = parseInterval(text);
    return interval !== null && estimatePoints(interval, from, to) <= points;
  };
  return LADDER.find(fits) ?? null;
}
