/** Milliseconds of a minute, the width of the finest bucket. */
export const MINUTE_MS = 60_000;

/** The minute (whole minutes since the epoch, UTC) that holds an instant in epoch milliseconds. */
export function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS);
}

/** One share of a delta: the minute, and the part of the bytes that belongs to it. */
export interface Share {
  minute: number;
  bytes: number;
}

/** Up to so many minutes, a delta is split minute by minute; longer spans (gaps) get coarser steps. */
const FINE_MINUTES = 120;
/** Minutes of a bucket of the coarse tier; so many that days are whole in nearly every time zone. */
export const HALF_HOUR = 30;
const MOST_SHARES = 240;

/**
 * Width of the steps, in minutes, over which a span is split. A gap of days must not become a sample for every
 * minute of every connection, so long spans go by half hours, or multiples, aligned to the epoch.
 */
export function stepFor(minutes: number): number {
  if (minutes <= FINE_MINUTES) return 1;
  return HALF_HOUR * Math.max(1, Math.ceil(minutes / HALF_HOUR / MOST_SHARES));
}

/**
 * Splits bytes that moved in `[from, to]` (epoch ms) over the minutes they touch, in proportion to time (A9).
 * Shares are whole bytes and sum to `bytes` exactly: each gets the difference of the rounded running sum. A share
 * stands at the last minute of its step. `step` is that of the whole gap, so that totals and connections that
 * share a gap are split at the same borders.
 */
export function splitOverMinutes(bytes: number, from: number, to: number, step = 1): Share[] {
  const first = minuteOf(from);
  const last = to > from ? minuteOf(to - 1) : minuteOf(to);
  if (first >= last) return [{ minute: last, bytes }];
  const shares: Share[] = [];
  let booked = 0;
  for (let border = (Math.floor(first / step) + 1) * step; ; border += step) {
    const end = border > last;
    const upTo = end ? bytes : Math.floor(bytes * ((border * MINUTE_MS - from) / (to - from)));
    shares.push({ minute: end ? last : border - 1, bytes: upTo - booked });
    booked = upTo;
    if (end) return shares;
  }
}
