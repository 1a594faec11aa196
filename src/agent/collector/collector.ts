import type { Component } from '../../common/component.ts';
import type { Logger } from '../../common/logger.ts';
import type { CoreTarget } from './core-target.ts';
import { CoreFeed } from './feed.ts';
import type { FeedLimits } from './feed-limits.ts';
import type { FeedState, FrameVerdict } from './feed-options.ts';
import { FrameBuffers } from './frame-buffers.ts';
import { LeftOut } from './left-out.ts';
import { SnapshotScanner } from './scanner.ts';
import type { FeedInfo, SnapshotSink } from './sink.ts';

export interface CollectorOptions {
  target: CoreTarget;
  /** Milliseconds between two snapshots, or chosen by the size of the table. */
  interval: 'auto' | number;
  sink: SnapshotSink;
  /** The agent's time, epoch ms (`AgentClock`); it stamps the snapshots. */
  clock: { now(): number };
  logger: Logger;
  limits?: Partial<FeedLimits>;
  /** Most connections followed one by one. */
  maxTracked?: number;
}

export interface CollectorCounters {
  /** Snapshots that could be read. */
  frames: number;
  bytes: number;
  /** Messages that were none. */
  badFrames: number;
  /** Connection records that could not be read. */
  skipped: number;
  /** Records beyond the bound: their bytes are unattributed. */
  folded: number;
  /** Messages replaced by a newer one before they were looked at. */
  replaced: number;
  /** Attempts to connect to the core. */
  connects: number;
  /** Changes of interval or transport without a gap. */
  switches: number;
}

/**
 * From the core to the sink: every snapshot as the difference to the one before, with the time of its receipt. Its table outlives
 * breaks of the feed, for ids never repeat. It does nothing but this: whoever keeps, sends or shows is behind the sink.
 */
export class Collector implements Component {
  readonly name = 'collector';
  readonly #sink: SnapshotSink;
  readonly #clock: { now(): number };
  readonly #log: Logger;
  readonly #scanner: SnapshotScanner;
  readonly #feed: CoreFeed;
  readonly #leftOut: LeftOut;
  readonly #counters = { frames: 0, bytes: 0, badFrames: 0, skipped: 0 };
  /** Told to the sink with the first good snapshot: what answers may still be no core. */
  #opening: FeedInfo | undefined;
  #polled = false;
  #lastSnapshotAt: number | undefined;

  constructor(options: CollectorOptions) {
    this.#sink = options.sink;
    this.#clock = options.clock;
    this.#log = options.logger;
    this.#leftOut = new LeftOut(options.logger);
    const buffers = new FrameBuffers();
    this.#scanner = new SnapshotScanner(options.maxTracked, buffers);
    this.#feed = new CoreFeed({
      buffers,
      target: options.target,
      interval: options.interval,
      logger: options.logger,
      limits: options.limits ?? {},
      now: () => options.clock.now(),
      events: {
        onOpen: (info) => {
          this.#opening = info;
        },
        onFrame: (bytes, receivedAt) => this.#frame(bytes, receivedAt),
        onBroken: (reason, detail) => {
          this.#opening = undefined;
          this.#sink.broken(reason, detail);
        },
      },
    });
  }

  get state(): FeedState {
    return this.#feed.state;
  }

  /** The core's version, `''` when not known. */
  get version(): string {
    return this.#feed.version;
  }

  /** Milliseconds between two snapshots, now. */
  get interval(): number {
    return this.#feed.interval;
  }

  /** Epoch milliseconds of the agent's clock; undefined before the first snapshot. */
  get lastSnapshotAt(): number | undefined {
    return this.#lastSnapshotAt;
  }

  /** Connections open in the core, as of the last snapshot. */
  get listed(): number {
    return this.#scanner.listed;
  }

  get counters(): CollectorCounters {
    const { connects, switches } = this.#feed.counters;
    const { folded } = this.#scanner;
    return { ...this.#counters, folded, replaced: this.#feed.replaced, connects, switches };
  }

  start(): void {
    this.#feed.start();
  }

  stop(): void {
    this.#feed.stop();
  }

  #frame(bytes: Buffer, receivedAt: number): FrameVerdict {
    const at = this.#clock.now() - Math.max(0, Math.round(performance.now() - receivedAt));
    const { folded } = this.#scanner;
    const outcome = this.#scanner.scan(bytes, at);
    if (!outcome.ok) {
      this.#counters.badFrames++;
      this.#log.warn({ problem: outcome.problem, bytes: bytes.length }, 'unreadable snapshot');
      return { ok: false, detail: `${outcome.problem}: ${outcome.detail}` };
    }
    const { diff } = outcome;
    this.#counters.frames++;
    this.#counters.bytes += bytes.length;
    this.#counters.skipped += diff.skipped;
    this.#leftOut.count(diff.skipped, this.#scanner.folded - folded);
    this.#lastSnapshotAt = diff.at;
    const opening = this.#opening;
    this.#opening = undefined;
    if (opening !== undefined) {
      this.#polled = opening.polled;
      this.#sink.opened(opening);
    }
    const unbroken = opening === undefined && !this.#polled;
    this.#sink.snapshot(diff, { unbroken, intervalMs: this.#feed.interval });
    return { ok: true, listed: diff.listed };
  }
}
