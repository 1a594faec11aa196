import type { GapReason, SnapshotDiff } from '../../domain/snapshot.ts';

export const CORE_KINDS = ['mihomo', 'sing-box', 'other'] as const;

/** What answers on the controller's port, as far as `/version` tells. */
export type CoreKind = (typeof CORE_KINDS)[number];

/** A feed that begins: the first of this process, or one after a break. */
export interface FeedInfo {
  /** As the core says it, at most 128 characters; `''` when it does not say. */
  version: string;
  kind: CoreKind;
  /**
   * The core's clock minus ours in milliseconds, from the HTTP `Date` of its answer; 0 where the two agree as
   * far as whole seconds can tell, and where there was no `Date`.
   */
  clockOffsetMs: number;
  /** The first feed of this process; later ones follow a break. */
  fresh: boolean;
  /** Asked anew for every snapshot: nothing proves that the same core process answers each time. */
  polled: boolean;
}

/** How a snapshot came. */
export interface SnapshotInfo {
  /**
   * The connection to the core has held since the snapshot before this one, so that both are of one core run.
   * False for the first snapshot after `opened`, and always when polling: each answer may come from a new process.
   */
  unbroken: boolean;
  /** Milliseconds between two snapshots as asked of the core. */
  intervalMs: number;
}

/**
 * What takes the collector's snapshots (the books). Calls come one at a time, in order, and synchronously:
 * `opened`, then snapshots, then `broken`, and so on. They must not throw and must return soon, because the
 * next snapshot waits for them (a late one is replaced by a newer one: snapshots are cumulative).
 */
export interface SnapshotSink {
  /**
   * A feed delivers; its first good snapshot follows at once. Told again without a break when polling gives way to
   * a WebSocket; a change of the interval alone is not told.
   */
  opened(info: FeedInfo): void;
  /** A snapshot that could be read; a bad one is only counted. */
  snapshot(diff: SnapshotDiff, info: SnapshotInfo): void;
  /**
   * There are no snapshots, and why: when a feed breaks, when the first attempt fails, and again when the
   * reason becomes another one; never twice in a row for the same reason.
   */
  broken(reason: GapReason, detail: string): void;
}
