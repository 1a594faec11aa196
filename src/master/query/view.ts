import { HALF_HOUR } from '../../domain/bucket.ts';
import type { TierName } from '../store/store.ts';
import { type WallClock, wallClock } from './hour-of-week.ts';
import type { MinuteRange } from './range.ts';
import { type Source, sourceOf } from './source.ts';
import { chooseTier, type Kept, widened, widenedStarts } from './tier.ts';
import { segments } from './zone.ts';

/** What a question reads. */
export interface Viewed {
  /** The interval asked for (minutes), and where there is a comparison, the other one. */
  readonly ranges: readonly [MinuteRange, ...MinuteRange[]];
  /** Starts of the points of a series over the first, if any. */
  readonly starts?: readonly number[];
  /** IANA name. */
  readonly tz: string;
  /** Hours of the week are told apart. */
  readonly byHour: boolean;
  readonly overlay?: boolean;
  /** Where it must be read. */
  readonly tier?: TierName | undefined;
}

/** Where a question is read, and how. */
export interface View {
  readonly source: Source;
  /** As statements ask for them: in the coarse tier on half hours. */
  readonly ranges: readonly [MinuteRange, ...MinuteRange[]];
  /** What the answer is of: what was asked, or where that had to be moved, what it was moved to. */
  readonly answered: readonly [MinuteRange, ...MinuteRange[]];
  /** The part of the first in which there is anything. */
  readonly filled: MinuteRange;
  /** Minutes at which the points begin, the first at the begin of the range or before. */
  readonly starts: readonly number[];
  /** False when bounds or points were moved outwards. */
  readonly aligned: boolean;
  /** First minute that is still there, where the question reaches further back; else null. */
  readonly cutFrom: number | null;
  readonly clock: WallClock;
}

export function viewOf(viewed: Viewed, kept: Kept): View {
  const { ranges, starts = [], tz, byHour, overlay = false } = viewed;
  const borders = byHour ? [...starts, ...ranges.flatMap((range) => hourStarts(tz, range))] : starts;
  const { tier, aligned, cutFrom } = chooseTier(kept, { ranges, starts: borders, tier: viewed.tier });
  const source = sourceOf(tier, kept.hasTail ? kept.watermark : null, overlay);
  const [first, ...others] = ranges.map((range) => widened(range, tier, kept.extent));
  const present = first ?? ranges[0];
  const moved = [present, ...others] as const;
  return {
    source,
    ranges: moved,
    answered: aligned ? ranges : moved,
    filled: filledPart(present, kept, source.width),
    starts: widenedStarts(starts, tier, present),
    aligned,
    cutFrom,
    clock: wallClock(tz, moved),
  };
}

/** Never ends before it begins. */
function filledPart({ from, to }: MinuteRange, { extent }: Kept, width: number): MinuteRange {
  if (extent === null) return { from, to: from };
  const begin = Math.min(to, Math.max(from, Math.floor(extent.first / width) * width));
  return { from: begin, to: Math.max(begin, Math.min(to, extent.last + 1)) };
}

/** Minutes at which hours begin on the clock of the wall, modulo an hour: one for each offset. */
function hourStarts(zone: string, { from, to }: MinuteRange): number[] {
  return segments(zone, from, Math.max(from + 1, to)).map(({ offset }) => HALF_HOUR * 2 - offset);
}
