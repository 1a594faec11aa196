import { byteSize } from '../common/byte-size.ts';
import type { Progress, Report } from '../common/progress.ts';

/** Where progress is shown: standard error, whose other end may be a terminal. */
export interface ProgressOutput {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Between two looks of a person. */
const TERMINAL_MS = 100;
/** Between two lines of a log. */
const LOG_MS = 60_000;

/**
 * Shows how far something long is: on a terminal as one line that changes, elsewhere as a line a minute. What takes less
 * than a minute says nothing in a log.
 */
export class ProgressLine {
  readonly #output: ProgressOutput;
  readonly #now: () => number;
  #next: number;
  #shown = false;

  constructor(output: ProgressOutput = process.stderr, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
    this.#next = output.isTTY === true ? 0 : now() + LOG_MS;
  }

  readonly report: Report = (progress) => {
    const now = this.#now();
    if (now < this.#next) return;
    const text = textOf(progress);
    if (this.#output.isTTY === true) {
      this.#next = now + TERMINAL_MS;
      this.#shown = true;
      this.#output.write(`\r\x1b[K${text.slice(0, Math.max(0, (this.#output.columns ?? 80) - 1))}`);
    } else {
      this.#next = now + LOG_MS;
      this.#output.write(`${text}\n`);
    }
  };

  /** Clears the line, so that what is said next stands by itself. */
  end(): void {
    if (this.#shown) this.#output.write('\r\x1b[K');
    this.#shown = false;
  }
}

function textOf({ step, done, total }: Progress): string {
  if (total === 0) return `${step}: ${byteSize(done)}`;
  const percent = Math.min(100, Math.floor((done / total) * 100));
  return `${step}: ${percent} % (${byteSize(done)} of ${byteSize(total)})`;
}
