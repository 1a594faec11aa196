import type { Component } from '../../common/component.ts';
import type { Logger } from '../../common/logger.ts';
import { minuteOf } from '../../domain/bucket.ts';
import type { GapReason, SnapshotDiff } from '../../domain/snapshot.ts';
import { Books } from '../books/books.ts';
import type { BookEntry } from '../books/entry.ts';
import type { AgentClock } from '../clock.ts';
import type { FeedInfo, SnapshotSink } from '../collector/sink.ts';
import { relieve } from '../journal/budget.ts';
import type { Journal } from '../journal/journal.ts';
import { applyRetention } from '../journal/retention.ts';
import type { ConsoleMonitor } from '../monitor/console-monitor.ts';

/** What is not written yet is lost to a crash, at most so much of it; the totals then still know the bytes. */
const FLUSH_MS = 5000;
const HOUSEKEEPING_MS = 15 * 60_000;
/** Without any change, that there were snapshots is still written so often: after a restart it is where the gap begins. */
const IDLE_WRITE_MS = 60_000;
/** The budget is looked at after so many flushes: a look costs three pragmas. */
const BUDGET_EVERY = 12;

export interface RecorderOptions {
  journal: Journal;
  clock: AgentClock;
  logger: Logger;
  monitor?: ConsoleMonitor | undefined;
  retentionDays: number;
  /** Bytes. */
  journalBudget: number;
}

export interface RecorderMetrics {
  flushes: number;
  flushFailures: number;
  snapshots: number;
  skipped: number;
  anomalies: number;
  thinned: number;
  lostConnections: number;
}

/**
 * Keeps the books and writes them into the journal: what the collector sees comes in, coalesced flushes go out.
 * Snapshots are never delayed by the disk for longer than one flush takes.
 */
export class Recorder implements Component, SnapshotSink {
  readonly name = 'recorder';
  readonly #options: RecorderOptions;
  readonly #books: Books;
  #timers: NodeJS.Timeout[] = [];
  #flushFailed = false;
  #writtenGood: number;
  /** The minute that the last flush left packed. */
  #packed: number | null = null;
  readonly metrics: RecorderMetrics = {
    flushes: 0,
    flushFailures: 0,
    snapshots: 0,
    skipped: 0,
    anomalies: 0,
    thinned: 0,
    lostConnections: 0,
  };

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { journal, logger, monitor } = options;
    const { state, open } = journal.load();
    this.#writtenGood = state.lastGood ?? 0;
    this.#books = new Books({
      state,
      open,
      recall: (id) => journal.recall(id),
      events: {
        opened: (entry) => monitor?.opened(entry.fields, entry.counter.download, entry.counter.upload),
        ...(monitor?.showsTraffic && {
          moved: (entry: BookEntry, download: number, upload: number) =>
            monitor.traffic(entry.fields, download, upload, entry.counter.download, entry.counter.upload),
        }),
        closed: (entry) => monitor?.closed(entry.fields, entry.counter.download, entry.counter.upload),
        run: (verdict, run) => logger.info({ verdict, run: run.id, version: run.version }, 'core run'),
        anomaly: () => {
          this.metrics.anomalies++;
        },
        unbalanced: (remainder) =>
          logger.warn({ remainder }, 'books-unbalanced: more was booked than the totals of the core show'),
      },
    });
  }

  start(): void {
    this.#timers = [
      setInterval(() => this.flush(false), FLUSH_MS),
      setInterval(() => this.housekeep(), HOUSEKEEPING_MS),
    ];
  }

  opened(info: FeedInfo): void {
    this.#books.opened(info);
  }

  snapshot(diff: SnapshotDiff): void {
    this.metrics.snapshots++;
    this.metrics.skipped += diff.skipped;
    this.#books.snapshot(diff);
  }

  broken(reason: GapReason): void {
    this.#books.broken(reason, this.#options.clock.now());
  }

  /** When the core was last seen, epoch ms of the agent's clock; null before the first snapshot. */
  get lastSnapshot(): number | null {
    return this.#books.state.lastGood;
  }

  get open(): number {
    return this.#books.openCount;
  }

  /**
   * Writes what changed: all of it as rows, or with `settle` false the running minute packed. A refused write keeps
   * everything for the next one and is said once, until it works again.
   */
  flush(settle = true): boolean {
    const { journal, clock, logger } = this.#options;
    const books = this.#books;
    const at = clock.now();
    const running = settle ? null : minuteOf(at);
    const idle = (books.state.lastGood ?? 0) - this.#writtenGood < IDLE_WRITE_MS;
    const ended = books.hasUnsaved && (settle || running !== this.#packed);
    if (!books.hasChanges && !ended && idle) return true;
    try {
      journal.flush(books.changes(), at, running);
      books.committed(running);
      this.#packed = running;
      this.#writtenGood = books.state.lastGood ?? 0;
      this.metrics.flushes++;
      if (this.#flushFailed) logger.info('the journal can be written again; nothing was lost');
      this.#flushFailed = false;
      if (this.metrics.flushes % BUDGET_EVERY === 0) this.#watchBudget();
      return true;
    } catch (error) {
      this.metrics.flushFailures++;
      if (!this.#flushFailed)
        logger.error({ err: error }, 'the journal cannot be written; keeping it in memory');
      this.#flushFailed = true;
      return false;
    }
  }

  #watchBudget(): void {
    const { journal, journalBudget, logger } = this.#options;
    const relief = relieve(journal, journalBudget);
    this.metrics.thinned += relief.thinned;
    this.metrics.lostConnections += relief.lost;
    if (relief.lost > 0) {
      logger.error(
        { ...relief },
        'the journal is full (--journal-budget): the oldest connections were given up',
      );
    } else if (relief.thinned > 0) {
      logger.warn({ ...relief }, 'the journal is nearly full: old minutes were put together');
    }
  }

  housekeep(): void {
    const { journal, clock, retentionDays, logger } = this.#options;
    try {
      const gone = applyRetention(journal.db, clock.now(), retentionDays);
      if (gone.connections > 0) logger.debug(gone, 'delivered rows beyond retention are gone');
      this.#watchBudget();
    } catch (error) {
      logger.error({ err: error }, 'housekeeping of the journal failed; it will be tried again');
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.flush();
  }
}
