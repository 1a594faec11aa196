import type { GapReason } from '../../domain/snapshot.ts';
import type { BookState, Gap } from './state.ts';

/** The intervals without snapshots, each with its reason, one after the other. Times are epoch ms of the agent's clock. */
export class GapLog {
  readonly #state: BookState;
  readonly #changed = new Map<number, Gap>();

  /** Continues, and changes, the gap and the numbers of this state. */
  constructor(state: BookState) {
    this.#state = state;
  }

  /** Those that changed since they were committed last. */
  get changed(): Gap[] {
    return [...this.#changed.values()];
  }

  committed(): void {
    this.#changed.clear();
  }

  /** There are no snapshots any more, for this reason; or the tracker has just begun and finds none. */
  open(reason: GapReason, at: number, firstOfProcess: boolean): void {
    const { lastGood, openGap } = this.#state;
    if (lastGood === null) return;
    if (openGap !== null && openGap.reason === reason) {
      if (at > openGap.to) this.#put({ ...openGap, to: at }, true);
      return;
    }
    let from = openGap === null ? lastGood : Math.max(openGap.to, at);
    if (openGap !== null) this.#put({ ...openGap, to: from });
    else if (firstOfProcess && at > from) {
      // Until now it was the tracker that did not look; what is found now is another reason.
      this.#put({ id: this.#state.nextGap++, from, to: at, reason: 'tracker-down' });
      from = at;
    }
    this.#put({ id: this.#state.nextGap++, from, to: Math.max(from, at), reason }, true);
  }

  /** There is a snapshot again. */
  close(from: number, to: number): void {
    const { openGap } = this.#state;
    if (openGap !== null) this.#put({ ...openGap, to: Math.max(openGap.to, to) });
    else this.#put({ id: this.#state.nextGap++, from, to, reason: 'tracker-down' });
    this.#state.openGap = null;
  }

  #put(gap: Gap, open = false): void {
    this.#changed.set(gap.id, gap);
    if (open) this.#state.openGap = gap;
  }
}
