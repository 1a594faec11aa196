import type { Sqlite } from '../../common/sqlite.ts';

/**
 * How a question is called off while SQLite scans: ending the thread takes effect only after the statement, for
 * nothing interrupts native code. So statements that may scan call `tick()` now and then, which looks at memory
 * shared with the main thread and fails once the question's number stands there.
 */
export function createSignal(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** Main thread: calls the question off. */
export function callOff(signal: Int32Array, question: number): void {
  Atomics.store(signal, 0, question);
}

/** Worker: what the running statement belongs to. */
export class Ticker {
  readonly #signal: Int32Array;
  question = 0;

  constructor(db: Sqlite, signal: Int32Array) {
    this.#signal = signal;
    db.function('tick', { deterministic: false }, () => {
      this.check();
      return 1;
    });
  }

  /** Throws once the question is called off. */
  check(): void {
    if (Atomics.load(this.#signal, 0) === this.question) throw new Error('called off');
  }
}

/**
 * The condition to put first: calls `tick()` for one row in 1,024; the others pass without leaving SQLite. `number`: SQL of
 * whole numbers of which one is as frequent as another.
 */
export function ticking(number: string): string {
  return `(${number} & 1023 OR tick())`;
}
