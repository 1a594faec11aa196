/** Up to so many open connections, a snapshot every so many milliseconds (docs/accounting.md, Sampling). */
const STEPS = [
  { upTo: 300, ms: 250 },
  { upTo: 600, ms: 500 },
  { upTo: 5000, ms: 1000 },
  { upTo: Number.POSITIVE_INFINITY, ms: 2000 },
] as const;

/** A faster step is taken when the table is this much smaller than the step allows. */
const SLACK = 0.8;

/** What Mihomo and the others do when no interval is asked for, milliseconds. */
export const DEFAULT_INTERVAL_MS = 1000;

/**
 * The interval in milliseconds for a table of `count` connections, now sampled every `current`. Slower at once, for that is the
 * core's CPU; faster only with some room, so that a table around a limit does not switch back and forth.
 */
export function chooseInterval(count: number, current: number): number {
  const fitting = stepFor(count);
  return fitting >= current ? fitting : Math.min(current, stepFor(count / SLACK));
}

function stepFor(count: number): number {
  return STEPS.find((step) => count <= step.upTo)?.ms ?? DEFAULT_INTERVAL_MS;
}
