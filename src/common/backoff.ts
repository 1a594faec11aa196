/**
 * Full jitter: a random delay up to `min(cap, base × 2ⁿ)` milliseconds, never below what the peer asked for.
 * `reset()` belongs after success that lasted, not after the first good sign.
 */
export class Backoff {
  #attempt = 0;
  readonly #base: number;
  readonly #cap: number;
  readonly #random: () => number;

  constructor(baseMs: number, capMs: number, random: () => number = Math.random) {
    this.#base = baseMs;
    this.#cap = capMs;
    this.#random = random;
  }

  /** The next delay in milliseconds; `floorMs` is the peer's own wish (Retry-After). */
  next(floorMs = 0): number {
    const ceiling = Math.min(this.#cap, this.#base * 2 ** Math.min(this.#attempt, 30));
    this.#attempt++;
    return Math.max(floorMs, Math.round(this.#random() * ceiling));
  }

  reset(): void {
    this.#attempt = 0;
  }

  get attempts(): number {
    return this.#attempt;
  }
}
