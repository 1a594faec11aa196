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

/**
 * Splits bytes that moved in `[from, to]` (epoch ms) over the minutes they touch, in proportion to time (A9).
 * Shares are whole bytes and sum to `bytes` exactly: each minute gets the difference of the rounded running sum.
 */
export function splitOverMinutes(bytes: number, from: number, to: number): Share[] {
  const first = minuteOf(from);
  const last = to > from ? minuteOf(to - 1) : minuteOf(to);
  if (first >= last) return [{ minute: Math.max(first, last), bytes }];
  const shares: Share[] = [];
  let booked = 0;
  for (let minute = first; minute <= last; minute++) {
    const end = Math.min(to, (minute + 1) * MINUTE_MS);
    const upTo = minute === last ? bytes : Math.floor(bytes * ((end - from) / (to - from)));
    shares.push({ minute, bytes: upTo - booked });
    booked = upTo;
  }
  return shares;
}
