import { HALF_HOUR } from '../../domain/bucket.ts';
import type { TierName } from '../store/store.ts';
import type { Extent, MinuteRange } from './range.ts';

/** What the store holds, and up to where each tier is whole. */
export interface Kept {
  /** The newest lot in the coarse tier. */
  readonly watermark: number;
  /** There are lots that the coarse tier does not have yet. */
  readonly hasTail: boolean;
  /** First and last minute with anything in it, null in an empty store. */
  readonly extent: Extent | null;
  /** Facts of counted connections in each tier. */
  readonly facts: Readonly<Record<TierName, number>>;
  /** First minute that retention still keeps whole, by tier; 0 while it has taken nothing. */
  readonly wholeFrom: Readonly<Record<TierName, number>>;
}

/** What a question needs of a tier. */
export interface Need {
  /** All that it asks about, in one or more intervals (minutes). */
  readonly ranges: readonly MinuteRange[];
  /** Where else something begins that it tells apart: points of a series, hours of the week. */
  readonly starts: readonly number[];
  /** The tier that must answer, whatever it costs. */
  readonly tier?: TierName | undefined;
}

export interface ChosenTier {
  readonly tier: TierName;
  /** False when the tier cannot tell where an interval or a point begins or ends: they are moved outwards to half hours. */
  readonly aligned: boolean;
  /** From where there is data when the question reaches further back and retention has cut it, else null. */
  readonly cutFrom: number | null;
}

const isHalfHour = (minute: number): boolean => minute % HALF_HOUR === 0;

/**
 * The coarse tier answers whatever has its borders on half hours, since it has less to read and reaches further back;
 * the minutes answer the rest as far back as they are kept.
 */
export function chooseTier(
  { wholeFrom, extent }: Pick<Kept, 'wholeFrom' | 'extent'>,
  need: Need,
): ChosenTier {
  const begin = Math.min(...need.ranges.map(({ from }) => from));
  // Where there is nothing to be told apart, any border will do: "up to now" is on no half hour.
  const parts = (minute: number) => extent !== null && minute > extent.first && minute <= extent.last;
  const borders = need.ranges.flatMap(({ from, to }) => [from, to]).filter(parts);
  const fits = [...borders, ...need.starts].every(isHalfHour);
  const tier = need.tier ?? (!fits && begin >= wholeFrom.minute ? 'minute' : 'half_hour');
  return {
    tier,
    aligned: fits || tier === 'minute',
    cutFrom: begin < wholeFrom[tier] ? wholeFrom[tier] : null,
  };
}

/** About how many facts of a tier lie in some ranges: its share of them by time. */
export function factsIn(ranges: readonly MinuteRange[], tier: TierName, kept: Kept): number {
  const { extent, facts, wholeFrom } = kept;
  if (extent === null) return 0;
  const first = Math.max(extent.first, wholeFrom[tier]);
  const all = Math.max(1, extent.last + 1 - first);
  const minutes = ranges.reduce(
    (sum, { from, to }) => sum + Math.max(0, Math.min(to, extent.last + 1) - Math.max(from, first)),
    0,
  );
  return (facts[tier] * minutes) / all;
}

/**
 * The range as a tier can answer it; nothing stays nothing. A range that ends before there is anything must not reach
 * into the first half hour, nor one that begins after it into the last.
 */
export function widened({ from, to }: MinuteRange, tier: TierName, extent: Extent | null): MinuteRange {
  if (tier === 'minute' || from === to) return { from, to };
  const isAfter = extent !== null && from > extent.last;
  const isBefore = extent !== null && to <= extent.first;
  return {
    from: isAfter ? from : floorHalfHour(from),
    to: isBefore ? floorHalfHour(to) : Math.ceil(to / HALF_HOUR) * HALF_HOUR,
  };
}

/**
 * Starts of points as a tier can answer them, for a range that it was widened to: two that fall together are one, and so
 * are those that begin no later than the range does.
 */
export function widenedStarts(starts: readonly number[], tier: TierName, { from }: MinuteRange): number[] {
  if (tier === 'minute') return [...starts];
  const rounded = [...new Set(starts.map(floorHalfHour))];
  return rounded.slice(
    Math.max(
      0,
      rounded.findLastIndex((start) => start <= from),
    ),
  );
}

function floorHalfHour(minute: number): number {
  return Math.floor(minute / HALF_HOUR) * HALF_HOUR;
}
