import type { Dialect } from './dialect.ts';
import type { Plan } from './plan.ts';
import type { Profile } from './profile.ts';

export interface SimulatedCoreOptions {
  seed?: number | string;
  /** When the simulation begins, epoch milliseconds by a right clock; default 2026-07-01T00:00Z. */
  startAt?: number;
  /** What the core's own clock is ahead of a right one, milliseconds. */
  skewMs?: number;
  /** Offset of the core's time zone, minutes east of UTC. */
  zoneOffsetMinutes?: number;
  /** Most fraction digits of `start`: 9 (Linux), 7 (Windows), 6 (macOS), 0 … */
  fractionDigits?: number;
  /** What happens by itself; `null` (default): nothing does, the caller drives an exact history. */
  profile?: Profile | null;
  dialect?: Dialect;
  /** Forget the truth about closed connections (sums of runs stay): for simulations that go on for days. */
  forgetClosed?: boolean;
}

/** How a connection begins, for whoever drives the core. */
export interface OpenOptions {
  /** Bytes that were moved with the dial. */
  download?: number;
  upload?: number;
  plan?: Plan;
  /** `false`: never in the table, as one that lives between two snapshots. */
  listed?: boolean;
  /** Overlay that repeats the bytes of this connection and ends with it. */
  mirrors?: string;
  destinations?: readonly string[];
}
