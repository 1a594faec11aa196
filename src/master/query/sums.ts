/** What a number of an answer can be at most: beyond 2^53 a JSON number is no longer exact. */
const MOST = Number.MAX_SAFE_INTEGER;

/**
 * A sum as it comes from the store (null over no rows) as a number. One beyond 2^53 (8 PiB: only poisoned counters get
 * there) is given as 2^53 − 1, and `isCut` tells: a few bad records must not take the rest of an answer along.
 */
export function toNumber(value: unknown): number {
  if (value === null || value === undefined) return 0;
  return Math.max(-MOST, Math.min(MOST, Number(value)));
}

/** The sum of numbers of an answer, cut in the same way. */
export function plus(a: number, b: number): number {
  return toNumber(a + b);
}

/** Whether any number of an answer had to be cut. */
export function isCut(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) === MOST;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(isCut);
}
