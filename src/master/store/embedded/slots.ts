import { CodedError } from '../../../common/errors.ts';

interface Waiting {
  grant(): void;
  refuse(error: unknown): void;
}

/** A bounded number of readers at once, and a bounded number behind them; the rest is told to come back. */
export class Slots {
  readonly #waiting: Waiting[] = [];
  readonly #size: number;
  readonly #queue: number;
  readonly #crowded: string;
  #taken = 0;
  #idle = Promise.withResolvers<void>();

  /** `crowded`: what is said to who can neither be answered nor wait. */
  constructor(size: number, queue: number, crowded: string) {
    this.#size = size;
    this.#queue = queue;
    this.#crowded = crowded;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when nobody has a slot, rejects with the signal's reason. */
  async idle(signal: AbortSignal): Promise<void> {
    if (this.#taken === 0) return;
    const aborted = Promise.withResolvers<never>();
    const leave = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([this.#idle.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** Resolves when a slot is taken; rejects with the signal's reason, or `too_many_requests` at once. */
  take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#taken < this.#size) {
      this.#taken++;
      return Promise.resolve();
    }
    if (this.#waiting.length >= this.#queue) {
      return Promise.reject(new CodedError('too_many_requests', this.#crowded, { retryAfter: 2 }));
    }
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        grant: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
        refuse: reject,
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        entry.refuse(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(entry);
    });
  }

  /** Gives the slot to the one that waits longest. */
  release(): void {
    const next = this.#waiting.shift();
    if (next) {
      next.grant();
    } else if (--this.#taken === 0) {
      this.#idle.resolve();
      this.#idle = Promise.withResolvers();
    }
  }
}
