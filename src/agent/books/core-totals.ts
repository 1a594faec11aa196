import { splitOverMinutes } from '../../domain/bucket.ts';
import type { Bytes } from '../../domain/connection.ts';
import type { RunVerdict } from './run.ts';
import type { BookState, Run } from './state.ts';

/** The negative remainder that means misclassification (A8): bytes, share of the run, and for how long. */
const UNBALANCED_BYTES = 1024 * 1024;
const UNBALANCED_SHARE = 0.01;
const UNBALANCED_MS = 10 * 60_000;

/** Minutes of totals that wait for a journal that cannot be written (A10). */
const MAX_PENDING_TOTALS = 2880;

export interface CoreTotalsEvents {
  run?(verdict: RunVerdict | 'first', run: Run): void;
  unbalanced?(remainder: number): void;
}

/** What the core's totals say: its runs, and the increases that were accepted (A6), by minute and by run. */
export class CoreTotals {
  readonly #state: BookState;
  readonly #events: CoreTotalsEvents;
  readonly #changed = new Map<number, Bytes>();
  #runs: Run[] = [];
  #unbalancedSince: number | null = null;

  /** Continues, and changes, the sums and the numbers of this state. */
  constructor(state: BookState, events: CoreTotalsEvents) {
    this.#state = state;
    this.#events = events;
  }

  get hasChanges(): boolean {
    return this.#changed.size > 0 || this.#runs.length > 0;
  }

  /** Running sums at the end of each minute that changed since they were committed last. */
  get changed(): { minute: number; download: number; upload: number }[] {
    return [...this.#changed].map(([minute, sum]) => ({ minute, ...sum }));
  }

  get runs(): Run[] {
    return [...this.#runs];
  }

  committed(): void {
    this.#changed.clear();
    this.#runs = [];
  }

  /** Accepts what the totals rose by between two instants (epoch ms), split at the borders of minutes (A9). */
  accept(increase: Bytes, from: number, at: number, step: number): void {
    if (increase.download === 0 && increase.upload === 0) return;
    this.#state.runAccepted = plus(this.#state.runAccepted, increase);
    const ups = splitOverMinutes(increase.upload, from, at, step);
    splitOverMinutes(increase.download, from, at, step).forEach((share, i) => {
      this.#state.accepted = plus(this.#state.accepted, {
        download: share.bytes,
        upload: ups[i]?.bytes ?? 0,
      });
      this.reach(share.minute);
    });
  }

  /** The sum now is that at the end of this minute. */
  reach(minute: number): void {
    this.#changed.set(minute, { ...this.#state.accepted });
    if (this.#changed.size <= MAX_PENDING_TOTALS) return;
    for (const [i, old] of [...this.#changed.keys()].entries()) {
      if (i % 2 === 0 && old !== minute) this.#changed.delete(old);
    }
  }

  /** A8: a run that ends with less accepted than booked takes what was booked as its accepted increase. */
  endRun(minute: number): void {
    const { runAccepted, runCounted } = this.#state;
    const missing = {
      download: Math.max(0, runCounted.download - runAccepted.download),
      upload: Math.max(0, runCounted.upload - runAccepted.upload),
    };
    if (missing.download === 0 && missing.upload === 0) return;
    this.#state.accepted = plus(this.#state.accepted, missing);
    this.reach(minute);
  }

  /** Since the run began these bytes were booked to counted connections. */
  booked(counted: Bytes): void {
    this.#state.runCounted = plus(this.#state.runCounted, counted);
  }

  beginRun(at: number, version: string, verdict: RunVerdict | 'first'): void {
    const run = { id: this.#state.nextRun++, from: at, version };
    this.#runs.push(run);
    this.#state.runAccepted = { download: 0, upload: 0 };
    this.#state.runCounted = { download: 0, upload: 0 };
    this.#unbalancedSince = null;
    this.#events.run?.(verdict, run);
  }

  /** Warns when more was booked than the totals of the core show, for long (A8). */
  watchBalance(at: number): void {
    const { runAccepted, runCounted } = this.#state;
    const remainder = runAccepted.download + runAccepted.upload - runCounted.download - runCounted.upload;
    const run = runAccepted.download + runAccepted.upload;
    if (remainder >= -UNBALANCED_BYTES || remainder >= -run * UNBALANCED_SHARE) {
      this.#unbalancedSince = null;
      return;
    }
    this.#unbalancedSince ??= at;
    if (at - this.#unbalancedSince < UNBALANCED_MS) return;
    this.#events.unbalanced?.(remainder);
    this.#unbalancedSince = at;
  }
}

function plus(a: Bytes, b: Bytes): Bytes {
  return { download: a.download + b.download, upload: a.upload + b.upload };
}
