import type { Logger } from '../../common/logger.ts';
import type { GapReason } from '../../domain/snapshot.ts';
import type { CoreTarget } from './core-target.ts';
import type { FeedLimits } from './feed-limits.ts';
import type { FrameBuffers } from './frame-buffers.ts';
import type { FeedInfo } from './sink.ts';

/** As the sync protocol reports it. */
export type FeedState = 'connected' | 'down' | 'unauthorized' | 'stalled';

/** What became of a frame: how many connections it lists, or what is wrong with it. */
export type FrameVerdict = { ok: true; listed: number } | { ok: false; detail: string };

export interface FeedEvents {
  /** Before the first frame of a connection (but not when only the interval changed). */
  onOpen(info: FeedInfo): void;
  /** A whole message, received at this `performance.now()`; the buffer is the receiver's. */
  onFrame(bytes: Buffer, receivedAt: number): FrameVerdict;
  /** No good frames, and why; once until the next good frame, or until the reason is another one. */
  onBroken(reason: GapReason, detail: string): void;
}

export interface FeedOptions {
  target: CoreTarget;
  /** Milliseconds between two snapshots, or chosen by the size of the table. */
  interval: 'auto' | number;
  events: FeedEvents;
  /** Where the buffers of snapshots come from; `onFrame` gives them back. */
  buffers?: FrameBuffers;
  logger: Logger;
  limits?: Partial<FeedLimits>;
  /** For tests: wall clock in epoch ms, monotonic clock in ms, and the jitter of waits. */
  now?: () => number;
  monotonic?: () => number;
  random?: () => number;
}
