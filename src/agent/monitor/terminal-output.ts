import { closeSync, writeSync } from 'node:fs';
import type { Output, OutputListener } from './output.ts';

/** How often a terminal that took nothing is asked again. */
const RETRY_MS = 50;

/**
 * Lines into a descriptor that was opened with O_NONBLOCK. Node writes to terminals and waits for them: one that is
 * stopped with Ctrl-S, or shown over a stalled ssh, would stop the whole process, and nothing would be collected.
 */
export class TerminalOutput implements Output {
  readonly #descriptor: number;
  readonly #listener: OutputListener;
  #rest: Buffer = Buffer.alloc(0);
  #retry: NodeJS.Timeout | undefined;
  #over = false;

  constructor(descriptor: number, listener: OutputListener) {
    this.#descriptor = descriptor;
    this.#listener = listener;
  }

  get pending(): number {
    return this.#rest.length;
  }

  write(text: string): boolean {
    if (this.#over) return false;
    this.#rest = this.#rest.length === 0 ? Buffer.from(text) : Buffer.concat([this.#rest, Buffer.from(text)]);
    return this.#push();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#retry);
    this.#rest = Buffer.alloc(0);
    closeSync(this.#descriptor);
  }

  /** Hands over what the terminal takes; true when that was all. */
  #push(): boolean {
    try {
      while (this.#rest.length > 0) {
        this.#rest = this.#rest.subarray(writeSync(this.#descriptor, this.#rest));
      }
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        this.#retry ??= setTimeout(() => this.#again(), RETRY_MS).unref();
      } else {
        // EIO: the terminal was closed.
        this.close();
        this.#listener.ended();
      }
      return false;
    }
  }

  #again(): void {
    this.#retry = undefined;
    if (!this.#over && this.#push()) this.#listener.drained();
  }
}
