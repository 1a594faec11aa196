import { CodedError } from '../../common/errors.ts';
import { BodyMemory, type BodyShare } from './body-memory.ts';

/** Seconds after which an agent that found no room comes again; its own backoff adds jitter. */
const RETRY_AFTER_S = 2;

/**
 * Bounds the syncs that are worked on at once, and the memory of all their bodies. A body takes a slot only when it is
 * complete: senders that are slow, or mean to be, keep nobody else out.
 */
export class SyncSlots {
  readonly #limit: number;
  readonly #memory: BodyMemory;
  #taken = 0;

  constructor(limit: number, bytes: number) {
    this.#limit = limit;
    this.#memory = new BodyMemory(bytes);
  }

  /** Throws `busy` when no slot is free: whatever is sent now would most likely be sent in vain. */
  enter(): SyncHold {
    this.#refuseWhenFull();
    return new SyncHold(this, this.#memory);
  }

  /** Throws `busy` when none is free. */
  take(): void {
    this.#refuseWhenFull();
    this.#taken++;
  }

  free(): void {
    this.#taken--;
  }

  #refuseWhenFull(): void {
    if (this.#taken >= this.#limit) throw busy('too many syncs at once');
  }
}

/**
 * What one sync holds, from its headers on. It is given back when the answer is gone *and* the work on the body has
 * ended: a client that hangs up must not make room for another body.
 */
export class SyncHold {
  readonly #slots: SyncSlots;
  readonly share: BodyShare;
  /** Told when the body has to make room for others. */
  evicted: (error: CodedError) => void = () => {};
  #slot = false;
  #working = 0;
  #answered = false;

  constructor(slots: SyncSlots, memory: BodyMemory) {
    this.#slots = slots;
    this.share = memory.begin(() => this.evicted(busy('too many bodies at once')));
  }

  /** The body is complete. Throws `busy` when no slot is free. */
  arrived(): void {
    this.#slots.take();
    this.#slot = true;
    this.share.arrived();
  }

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
    if (!this.#answered || this.#working > 0) return;
    this.share.release();
    if (this.#slot) this.#slots.free();
    this.#slot = false;
  }
}

function busy(message: string): CodedError {
  return new CodedError('busy', message, { retryAfter: RETRY_AFTER_S });
}
