import { MINUTE_MS, minuteOf } from '../domain/bucket.ts';
import { LATEST_MS } from '../domain/time.ts';

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
 * without a clock (before the build date) is taken as of the build date, then as the master says, until its own
 * clock is set.
 */
export class AgentClock {
  readonly #wall: () => number;
  readonly #buildDate: number;
  readonly #onStepped: (from: number, to: number) => void;
  #floor: number;
  /** What the master's time says the wall clock lacks; 0 while the wall clock is believed. */
  #adjust = 0;
  /** The adjustment stands in for a clock that was never set. */
  #unset = false;

  constructor(options: AgentClockOptions) {
    this.#wall = options.wall ?? Date.now;
    this.#buildDate = options.buildDate;
    this.#onStepped = options.onStepped ?? (() => {});
    this.#floor = options.newestMinute * MINUTE_MS;
  }

  /** Epoch milliseconds; never in an earlier minute than before, unless the master's time stepped it. */
  now(): number {
    const wall = this.#wall();
    // Once it is set, by NTP or by hand, the clock needs no help; the next answer confirms it.
    const adjust = this.#unset && wall >= this.#buildDate ? 0 : this.#adjust;
    const at = Math.max(wall + adjust, this.#buildDate, this.#floor);
    this.#floor = Math.max(this.#floor, minuteOf(at) * MINUTE_MS);
    return at;
  }

  /** Takes in the `server_time` of an answer. */
  serverTime(serverTime: number): void {
    // An answer that is corrupt, or a master whose own clock was never set, is no help.
    if (serverTime < this.#buildDate || serverTime > LATEST_MS) return;
    const wall = this.#wall();
    const unset = wall < this.#buildDate && serverTime > this.#buildDate;
    if (unset) this.#setAdjust(serverTime - wall, true);
    else if (Math.abs(wall - serverTime) <= AHEAD_MS) this.#setAdjust(0, false);
    // Adjusted once, and stepped since: by how much is only known from the master.
    else if (this.#adjust !== 0) this.#setAdjust(serverTime - wall, false);
    if (this.#floor <= serverTime + AHEAD_MS) return;
    this.#onStepped(this.#floor, serverTime);
    this.#floor = 0;
    this.#setAdjust(serverTime - wall, unset);
  }

  #setAdjust(ms: number, unset: boolean): void {
    this.#adjust = ms;
    this.#unset = unset;
  }

  /** Milliseconds by which the wall clock is ahead of the given server time. */
  offsetFrom(serverTime: number): number {
    return this.#wall() - serverTime;
  }
}
