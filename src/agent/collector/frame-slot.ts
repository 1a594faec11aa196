import type { FrameBuffers } from './frame-buffers.ts';

/**
 * Holds the newest frame until the messages that are already here have been read: snapshots are cumulative, so when
 * several have piled up (after a pause of this process, out of the kernel's buffers) only the last is worth its work.
 * Nothing waits: the frame is delivered in the same turn of the event loop.
 */
export class FrameSlot {
  /** Frames that a newer one replaced. */
  replaced = 0;
  readonly #deliver: (bytes: Buffer, receivedAt: number) => void;
  readonly #buffers: FrameBuffers;
  #bytes: Buffer | undefined;
  #receivedAt = 0;
  #immediate: NodeJS.Immediate | undefined;

  constructor(buffers: FrameBuffers, deliver: (bytes: Buffer, receivedAt: number) => void) {
    this.#buffers = buffers;
    this.#deliver = deliver;
  }

  put(bytes: Buffer, receivedAt: number): void {
    if (this.#bytes !== undefined) {
      this.replaced++;
      this.#buffers.give(this.#bytes);
    }
    this.#bytes = bytes;
    this.#receivedAt = receivedAt;
    this.#immediate ??= setImmediate(() => this.flush());
  }

  /** Delivers now what is held. */
  flush(): void {
    const bytes = this.#bytes;
    this.clear();
    if (bytes !== undefined) this.#deliver(bytes, this.#receivedAt);
  }

  clear(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#bytes = undefined;
  }
}
