/** Free buffers that are kept: one to receive into while the snapshot before is still compared with. */
const MOST_FREE = 2;
/** Room to grow into, so that a growing table does not need a new buffer for every snapshot. */
const SPARE = 1.125;
/** A free buffer this many times too large is let go. */
const TOO_LARGE = 4;

/**
 * Buffers for snapshots, used again: at 10,000 connections each is 8 MB, and as garbage they would cost more than
 * reading them. Whoever is the last to need one gives it back; one that is never given back is merely garbage.
 */
export class FrameBuffers {
  readonly #own = new WeakSet<ArrayBufferLike>();
  readonly #free: ArrayBufferLike[] = [];

  /** A buffer of exactly that length; what is in it is anybody's. */
  take(length: number): Buffer {
    const at = this.#free.findIndex(
      (memory) => memory.byteLength >= length && memory.byteLength <= TOO_LARGE * Math.max(length, 4096),
    );
    const memory = at < 0 ? this.#make(length) : this.#free.splice(at, 1)[0]!;
    return Buffer.from(memory, 0, length);
  }

  /** Nobody reads the buffer any more. Buffers from elsewhere are left alone. */
  give(buffer: Buffer): void {
    if (!this.#own.has(buffer.buffer) || this.#free.includes(buffer.buffer)) return;
    this.#free.push(buffer.buffer);
    if (this.#free.length > MOST_FREE) this.#free.shift();
  }

  #make(length: number): ArrayBufferLike {
    const memory = Buffer.allocUnsafeSlow(Math.max(4096, Math.ceil(length * SPARE))).buffer;
    this.#own.add(memory);
    return memory;
  }
}
