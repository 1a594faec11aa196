import type { MinuteRange } from './range.ts';
import { offsetAt } from './zone.ts';

const DAY = 1440;

/**
 * The period just before a range, as long on the clock of the wall: before a Monday in a zone comes a Sunday, even where
 * one of them has 25 hours. A range that does not begin and end at midnight has a period of as many minutes before it.
 */
export function previousRange({ from, to }: MinuteRange, zone: string): MinuteRange {
  const local = (minute: number) => minute + offsetAt(zone, minute);
  const length = local(to) - local(from);
  const isMidnight = (minute: number) => local(minute) % DAY === 0;
  if (length <= 0 || !isMidnight(from) || !isMidnight(to)) return { from: from - (to - from), to: from };
  const begin = local(from) - length;
  // The offset there may be another than here; looked up twice, for the first look may be on the other side of a change.
  const guess = begin - offsetAt(zone, from);
  return { from: begin - offsetAt(zone, begin - offsetAt(zone, guess)), to: from };
}
