const FIRST_BYTES = 64 * 1024;

/** Bytes in one piece as they come: a body sent byte by byte must not cost an object for each of them. */
export class GrowingBuffer {
  readonly #expected: number;
  readonly #grown: (bytes: number) => void;
  #bytes = Buffer.alloc(0);
  #size = 0;

  /** `expected`: how many will come, 0 where nobody said. `grown` is told before more memory is taken. */
  constructor(expected: number, grown: (bytes: number) => void) {
    this.#expected = expected;
    this.#grown = grown;
  }

  get size(): number {
    return this.#size;
  }

  add(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#bytes.length) this.#grow(size);
    this.#bytes.set(chunk, this.#size);
    this.#size = size;
  }

  /** What came, in memory of its own and of its size, so that it can go to another thread as it is. */
  take(): Buffer {
    if (this.#size === this.#bytes.length) return this.#bytes;
    const exact = Buffer.allocUnsafeSlow(this.#size);
    this.#bytes.copy(exact, 0, 0, this.#size);
    return exact;
  }

  /** Never more than was announced, for announcing costs nothing, and twice as much as before otherwise. */
  #grow(size: number): void {
    const doubled = Math.max(2 * this.#bytes.length, FIRST_BYTES);
    const capacity = Math.max(size, this.#expected > 0 ? Math.min(doubled, this.#expected) : doubled);
    this.#grown(capacity - this.#bytes.length);
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.#bytes.copy(larger, 0, 0, this.#size);
    this.#bytes = larger;
  }
}
