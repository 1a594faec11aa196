/** How long failures count, and how many are allowed in that time. */
const WINDOW_MS = 60_000;
const ALLOWED = 10;
/** Most clients remembered; the oldest go first, so that an attacker with many addresses costs no memory. */
const MAX_CLIENTS = 10_000;

/**
 * Counts failed authentications by client. It slows guessing down and nothing else: a valid token is never asked
 * whether its address has failures.
 */
export class FailureLimit {
  readonly #now: () => number;
  readonly #failures = new Map<string, { since: number; count: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Counts one failure. Returns the seconds to wait once there are too many, 0 before. */
  fail(client: string): number {
    const now = this.#now();
    const known = this.#failures.get(client);
    if (known === undefined || now - known.since >= WINDOW_MS || now < known.since) {
      this.#failures.delete(client);
      if (this.#failures.size >= MAX_CLIENTS) this.#forgetOldest();
      this.#failures.set(client, { since: now, count: 1 });
      return 0;
    }
    known.count++;
    return known.count > ALLOWED ? Math.max(1, Math.ceil((known.since + WINDOW_MS - now) / 1000)) : 0;
  }

  #forgetOldest(): void {
    for (const client of this.#failures.keys()) {
      this.#failures.delete(client);
      return;
    }
  }
}
