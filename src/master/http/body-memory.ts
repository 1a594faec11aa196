/** What one body holds of the memory. */
export class BodyShare {
  readonly #memory: BodyMemory;
  /** Called when the body must go, to make room for others; its bytes no longer count then. */
  readonly evict: () => void;
  bytes = 0;

  constructor(memory: BodyMemory, evict: () => void) {
    this.#memory = memory;
    this.evict = evict;
  }

  grow(bytes: number): void {
    this.bytes += bytes;
    this.#memory.grown(bytes);
  }

  /** It is complete, and will be worked on: it no longer makes room for others. */
  arrived(): void {
    this.#memory.arrived(this);
  }

  release(): void {
    this.#memory.release(this);
  }
}

/**
 * Bounds the bodies in memory, those that arrive and those that are worked on, by their bytes together. When there are
 * too many, the largest of those still arriving goes: whoever sends large bodies slowly makes no room scarce but their
 * own, and few have to come again.
 */
export class BodyMemory {
  readonly #limit: number;
  readonly #arriving = new Set<BodyShare>();
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes of all bodies. */
  get held(): number {
    return this.#held;
  }

  begin(evict: () => void): BodyShare {
    const share = new BodyShare(this, evict);
    this.#arriving.add(share);
    return share;
  }

  grown(bytes: number): void {
    this.#held += bytes;
    while (this.#held > this.#limit) {
      const largest = this.#largest();
      if (largest === undefined) return;
      this.release(largest);
      largest.evict();
    }
  }

  arrived(share: BodyShare): void {
    this.#arriving.delete(share);
  }

  release(share: BodyShare): void {
    this.#arriving.delete(share);
    this.#held -= share.bytes;
    share.bytes = 0;
  }

  #largest(): BodyShare | undefined {
    let largest: BodyShare | undefined;
    for (const share of this.#arriving) {
      if (largest === undefined || share.bytes > largest.bytes) largest = share;
    }
    return largest;
  }
}
