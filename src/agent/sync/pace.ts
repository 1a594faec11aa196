import { MINUTE_MS } from '../../domain/bucket.ts';

/**
 * Whether samples of the running minute wait for its end (ADR 19). With a sync a minute each of them would be sent,
 * merged and acknowledged twice, once half full; those who ask for a sync more often want to see the running minute.
 */
export function holdsRunningMinute(intervalMs: number): boolean {
  return intervalMs >= MINUTE_MS;
}

/** From when on and for how long after the end of a minute agents come: its last snapshot was booked, and not all at once. */
const EARLIEST_MS = 5000;
const SPREAD_MS = 20_000;

/** Where in each minute an agent syncs, milliseconds after its begin; drawn once per process. */
export function drawPhase(random: () => number): number {
  return EARLIEST_MS + random() * SPREAD_MS;
}

/** Milliseconds until the next sync; intervals of whole minutes are brought to the phase, others are what they are. */
export function untilNext(intervalMs: number, now: number, phase: number): number {
  if (intervalMs % MINUTE_MS !== 0) return intervalMs;
  const late = (((now + intervalMs - phase) % MINUTE_MS) + MINUTE_MS) % MINUTE_MS;
  // The nearest such time: a timer that fires early must not lead to two syncs in a row.
  return late > MINUTE_MS / 2 ? intervalMs - late + MINUTE_MS : intervalMs - late;
}
