import type { Writable } from 'node:stream';
import type { Output, OutputListener } from './output.ts';

/** Lines into a stream that does not block: a pipe or a socket (Node writes to those without waiting), or a test's. */
export class StreamOutput implements Output {
  readonly #stream: Writable;
  readonly #listener: OutputListener;
  #over = false;

  constructor(stream: Writable, listener: OutputListener) {
    this.#stream = stream;
    this.#listener = listener;
    stream.on('drain', () => this.#listener.drained());
    // Never removed: an error that nobody listens to (EPIPE after `| head`) would end the process.
    stream.on('error', () => this.#end());
    stream.on('close', () => this.#end());
  }

  get pending(): number {
    return this.#over ? 0 : this.#stream.writableLength;
  }

  write(text: string): boolean {
    if (this.#over) return false;
    if (!this.#stream.writable) {
      this.#end();
      return false;
    }
    try {
      return this.#stream.write(text);
    } catch {
      this.#end();
      return false;
    }
  }

  /** The stream is the process's own and stays open. */
  close(): void {
    this.#over = true;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener.ended();
  }
}
