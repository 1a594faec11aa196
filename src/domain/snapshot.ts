import type { Bytes, ConnectionFields } from './connection.ts';

/**
 * One connection as the collector holds it while the core lists it. The same object stays for as long as the
 * connection is listed, so that an unchanged connection costs nothing but the comparison of its bytes.
 */
export interface Listed extends Bytes {
  readonly fields: ConnectionFields;
  /** In the core's totals (`isCounted`), else overlay. */
  readonly counted: boolean;
  /**
   * Whatever the one who follows the differences keeps of this connection; the collector leaves it alone. A map
   * beside it would be asked for each change of each snapshot.
   */
  note: object | undefined;
}

/**
 * A snapshot, as the difference to the snapshot before it: what the books need, and nothing that did not change.
 *
 * The collector keeps its table over a broken feed (ids never repeat), so the difference is to the last snapshot
 * that was received at all, whatever happened between.
 */
export interface SnapshotDiff {
  /** Receipt, epoch milliseconds of the agent's clock (`AgentClock`), never before the previous snapshot's. */
  at: number;
  /** The core's totals, bytes since its start or its last statistics reset. */
  downloadTotal: number;
  uploadTotal: number;
  /** Listed now and not in the previous snapshot. On the first snapshot of a process: all. */
  added: Listed[];
  /** Listed in both, with other counters. */
  changed: Listed[];
  /** Listed before and no longer. Empty on the first snapshot of a process: the books know what they had open. */
  removed: Listed[];
  /** How many are listed now. */
  listed: number;
  /** Connection records that could not be read and were skipped; the rest of the snapshot counts. */
  skipped: number;
}

export const GAP_REASONS = ['core-down', 'stalled', 'unauthorized', 'tracker-down'] as const;

/** Why there were no snapshots for a while. */
export type GapReason = (typeof GAP_REASONS)[number];
