import { LATE_FACTOR } from './feed-limits.ts';
import type { Transport } from './transport.ts';

/** One connection to the core, open or about to be, and what has come of it. */
export class Link {
  readonly openedAt: number;
  /** What was sent as `interval`; undefined: the core does what it does. */
  readonly asked: number | undefined;
  /** Milliseconds between two snapshots that are to be expected. */
  readonly intervalMs: number;
  transport: Transport | undefined;
  frames = 0;
  good = 0;
  badInARow = 0;
  firstAt = 0;
  lastAt: number;

  constructor(asked: number | undefined, intervalMs: number, now: number) {
    this.asked = asked;
    this.intervalMs = intervalMs;
    this.openedAt = now;
    this.lastAt = now;
  }

  frame(now: number): void {
    if (this.frames++ === 0) this.firstAt = now;
    this.lastAt = now;
  }

  /** Milliseconds of silence that mean the end. */
  patience(silenceMs: number): number {
    return Math.max(LATE_FACTOR * this.intervalMs, silenceMs);
  }

  /** The second message is so late, or came so late, that the core understands something else by the interval. */
  ignoresInterval(now: number): boolean {
    if (this.asked === undefined || this.frames === 0 || this.frames > 2) return false;
    const second = this.frames === 2 ? this.lastAt : now;
    return second - this.firstAt > LATE_FACTOR * this.asked;
  }

  close(): void {
    this.transport?.close();
  }
}
