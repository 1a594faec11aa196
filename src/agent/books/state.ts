import type { Bytes } from '../../domain/connection.ts';
import type { GapReason } from '../../domain/snapshot.ts';
import type { BookEntry } from './entry.ts';

export interface Gap {
  id: number;
  from: number;
  to: number;
  reason: GapReason;
}

export interface Run {
  id: number;
  from: number;
  version: string;
}

/** What outlives the process, besides the open connections; committed with every flush. */
export interface BookState {
  /** Receipt of the last good snapshot, agent's clock in ms; null before the first attach. */
  lastGood: number | null;
  /** The core's totals then. */
  lastTotals: Bytes;
  /** Running sum of accepted increases since the journal began. */
  accepted: Bytes;
  /** Accepted increases of the present run, and what was booked to its counted connections. */
  runAccepted: Bytes;
  runCounted: Bytes;
  nextGap: number;
  nextRun: number;
  /** The gap that is not over yet. */
  openGap: Gap | null;
}

export function emptyState(): BookState {
  const none = (): Bytes => ({ download: 0, upload: 0 });
  return {
    lastGood: null,
    lastTotals: none(),
    accepted: none(),
    runAccepted: none(),
    runCounted: none(),
    nextGap: 1,
    nextRun: 1,
    openGap: null,
  };
}

/** What changed since the last flush. The journal commits it as a whole, or the books keep it. */
export interface BookChanges {
  /** Connections with new samples; new connections have `key` 0. */
  entries: BookEntry[];
  /** All that are open, so that what is written seldom finds those it left out. */
  open: ReadonlyMap<string, BookEntry>;
  /** Connections whose `closedAt` changed. */
  closed: BookEntry[];
  /** Running sums of accepted increases at the end of each minute that changed. */
  totals: { minute: number; download: number; upload: number }[];
  gaps: Gap[];
  runs: Run[];
  state: BookState;
}
