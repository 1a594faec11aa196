import { CodedError } from '../../common/errors.ts';

/** Seconds after which an agent that found no slot comes again; its own backoff adds jitter. */
const RETRY_AFTER_S = 2;

/**
 * Bounds the bodies of syncs that are held in memory at once. A slot is given back when the answer is gone *and*
 * the work on the body has ended: a client that hangs up must not make room for another body.
 */
export class SyncSlots {
  readonly #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Throws `busy` when none is free. */
  take(): SyncSlot {
    if (this.#taken >= this.#limit) {
      throw new CodedError('busy', 'too many syncs at once', { retryAfter: RETRY_AFTER_S });
    }
    this.#taken++;
    return new SyncSlot(() => this.#taken--);
  }
}

export class SyncSlot {
  readonly #free: () => void;
  #working = 0;
  #answered = false;
  #freed = false;

  constructor(free: () => void) {
    this.#free = free;
  }

  /** Holds the slot while the work goes on. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#working++;
    try {
      return await work();
    } finally {
      this.#working--;
      this.#settle();
    }
  }

  /** The answer is sent, or its client is gone. */
  answered(): void {
    this.#answered = true;
    this.#settle();
  }

  #settle(): void {
    if (this.#freed || !this.#answered || this.#working > 0) return;
    this.#freed = true;
    this.#free();
  }
}
