import { MINUTE_MS } from '../../domain/bucket.ts';

/** Minutes since the epoch, half-open. */
export interface MinuteRange {
  from: number;
  to: number;
}

/** What the store holds: first and last minute with anything in it, null when it is empty. */
export interface Extent {
  first: number;
  last: number;
}

export interface ResolvedRange extends MinuteRange {
  /** False when a bound lay inside a minute and was moved outwards. */
  aligned: boolean;
}

/**
 * The minutes that a question covers, from bounds in epoch milliseconds. Without `from` all that is kept; without
 * `to` up to now, or to the newest fact where an agent's clock is ahead: "all" must not miss what is there.
 */
export function resolveRange(
  bounds: { from?: number | undefined; to?: number | undefined },
  extent: Extent | null,
  now: number,
): ResolvedRange {
  const present = Math.max(Math.ceil(now / MINUTE_MS), (extent?.last ?? 0) + 1);
  const to = bounds.to === undefined ? present : Math.ceil(bounds.to / MINUTE_MS);
  const from =
    bounds.from === undefined ? Math.min(extent?.first ?? to, to) : Math.floor(bounds.from / MINUTE_MS);
  const aligned = [bounds.from, bounds.to].every((bound) => (bound ?? 0) % MINUTE_MS === 0);
  return { from, to: Math.max(from, to), aligned };
}
