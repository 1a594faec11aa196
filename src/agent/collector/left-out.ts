import type { Logger } from '../../common/logger.ts';

const HOUR_MS = 3_600_000;

/**
 * Records that the core lists and nobody follows: unreadable ones, and those beyond the bound. Their bytes are in the
 * totals, so they end as unattributed; that this happens is said at once, and then at most once an hour.
 */
export class LeftOut {
  readonly #log: Logger;
  readonly #now: () => number;
  #saidAt = Number.NEGATIVE_INFINITY;
  #snapshots = 0;
  #skipped = 0;
  #folded = 0;

  /** `now` is monotonic, milliseconds. */
  constructor(log: Logger, now = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** To be told of every snapshot: how many of its records could not be read, and how many were too many. */
  count(skipped: number, folded: number): void {
    if (skipped === 0 && folded === 0) return;
    this.#snapshots++;
    this.#skipped = Math.max(this.#skipped, skipped);
    this.#folded = Math.max(this.#folded, folded);
    if (this.#now() - this.#saidAt < HOUR_MS) return;
    this.#saidAt = this.#now();
    this.#log.warn(
      { unreadable: this.#skipped, tooMany: this.#folded, snapshots: this.#snapshots },
      'connections of the core are not followed: their bytes are unattributed',
    );
    this.#snapshots = 0;
    this.#skipped = 0;
    this.#folded = 0;
  }
}
