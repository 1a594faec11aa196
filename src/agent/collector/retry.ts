import { Backoff } from '../../common/backoff.ts';
import type { GapReason } from '../../domain/snapshot.ts';
import type { FeedLimits } from './feed-limits.ts';

/** When to try again: soon and ever later for a core that is away, rarely for one that refuses the secret. */
export class Retry {
  readonly #limits: FeedLimits;
  readonly #away: Backoff;
  readonly #refused: Backoff;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: FeedLimits, random?: () => number) {
    this.#limits = limits;
    this.#away = new Backoff(limits.retryBaseMs, limits.retryCapMs, random);
    this.#refused = new Backoff(2 * limits.refusedFloorMs, limits.refusedCapMs, random);
  }

  /** Calls once, later. The timer keeps the process alive: an absent core is no reason to end. */
  schedule(reason: GapReason, call: () => void): void {
    const { retryFloorMs, refusedFloorMs } = this.#limits;
    const refused = reason === 'unauthorized';
    const wait = refused ? this.#refused.next(refusedFloorMs) : this.#away.next(retryFloorMs);
    this.cancel();
    this.#timer = setTimeout(call, wait);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  /** After success that lasted. */
  reset(): void {
    this.#away.reset();
    this.#refused.reset();
  }
}
