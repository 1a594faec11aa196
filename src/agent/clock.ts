import { MINUTE_MS, minuteOf } from '../domain/bucket.ts';

/** How far the journal may be ahead of the master before its minutes go back (docs/sync.md, Clocks). */
const AHEAD_MS = 10 * MINUTE_MS;

export interface AgentClockOptions {
  /** The newest minute in the journal. */
  newestMinute: number;
  /** Epoch ms before which no clock can be right: when this program was built. */
  buildDate: number;
  /** The wall clock, epoch ms; replaced in tests and simulations. */
  wall?: () => number;
  onStepped?: (from: number, to: number) => void;
}

/**
 * The agent's time: the wall clock, but never before the newest minute of the journal, so that a clock that steps
 * back does not write into the past; until the master's time shows that minute to be far ahead. A machine
 * without a clock (before the build date) is taken as of the build date, then as the master says.
 */
export class AgentClock {
  readonly #wall: () => number;
  readonly #buildDate: number;
  readonly #onStepped: (from: number, to: number) => void;
  #floor: number;
  #adjust = 0;

  constructor(options: AgentClockOptions) {
    this.#wall = options.wall ?? Date.now;
    this.#buildDate = options.buildDate;
    this.#onStepped = options.onStepped ?? (() => {});
    this.#floor = options.newestMinute * MINUTE_MS;
  }

  /** Epoch milliseconds; never in an earlier minute than before, unless the master's time stepped it. */
  now(): number {
    const at = Math.max(this.#wall() + this.#adjust, this.#buildDate, this.#floor);
    this.#floor = Math.max(this.#floor, minuteOf(at) * MINUTE_MS);
    return at;
  }

  /** Takes in the `server_time` of an answer. */
  serverTime(serverTime: number): void {
    const wall = this.#wall() + this.#adjust;
    if (wall < this.#buildDate && serverTime > this.#buildDate) {
      this.#adjust += serverTime - wall;
    }
    if (this.#floor <= serverTime + AHEAD_MS) return;
    this.#onStepped(this.#floor, serverTime);
    this.#floor = 0;
    this.#adjust += serverTime - (this.#wall() + this.#adjust);
  }

  /** Milliseconds by which the wall clock is ahead of the given server time. */
  offsetFrom(serverTime: number): number {
    return this.#wall() - serverTime;
  }
}
