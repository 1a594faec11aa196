import { rmSync, writeFileSync } from 'node:fs';
import type { BookState } from '../../src/agent/books/state.ts';
import { AgentClock } from '../../src/agent/clock.ts';
import { SnapshotScanner } from '../../src/agent/collector/scanner.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { Recorder } from '../../src/agent/recorder/recorder.ts';
import { SyncEngine } from '../../src/agent/sync/engine.ts';
import type { Transport } from '../../src/agent/sync/transport.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { GapReason } from '../../src/domain/snapshot.ts';
import type { SimulatedCore } from '../../src/simulator/core.ts';
import { Crash } from './network.ts';
import { Oracle } from './oracle.ts';

const LOGGER = silentLogger();
export const BUILD_DATE = Date.UTC(2026, 0, 1);

export interface AgentOptions {
  path: string;
  agentId: string;
  core: SimulatedCore;
  transport: Transport;
  /** The machine's wall clock, epoch ms. */
  wall: () => number;
  /** Milliseconds that only grow; the wall clock unless given. */
  monotonic?: () => number;
  retentionDays: number;
  journalBudget: number;
  random: () => number;
  /** Whether this flush leaves the running minute packed, or this sync leaves it out. */
  holds: () => boolean;
}

/** A real agent (journal file, books, scanner, sync engine) whose timers are the schedule's. */
export class TestAgent {
  readonly options: AgentOptions;
  journal!: Journal;
  recorder!: Recorder;
  engine!: SyncEngine;
  clock!: AgentClock;
  #scanner!: SnapshotScanner;
  #watching = false;
  #retryAt = 0;
  #diskFull = false;
  /** What this journal must know, while it is the only one of its agent and never set back. */
  readonly oracle = new Oracle();
  /** The earliest time that its clock ever told while it watched, epoch ms. */
  earliest = Number.MAX_SAFE_INTEGER;
  /** By how much it was ahead of the true time at most, ms. */
  ahead = 0;
  alive = false;
  /** A copy was made before it had attached: two first snapshots may give one stream two sets of bases. */
  copiedUnattached = false;

  constructor(options: AgentOptions) {
    this.options = options;
    this.start();
  }

  start(): void {
    const { options } = this;
    this.journal = new Journal({ path: options.path, agentId: options.agentId });
    this.clock = new AgentClock({
      newestMinute: this.journal.newestMinute(),
      buildDate: BUILD_DATE,
      wall: options.wall,
    });
    this.recorder = new Recorder({
      journal: this.journal,
      clock: this.clock,
      logger: LOGGER,
      retentionDays: options.retentionDays,
      journalBudget: options.journalBudget,
    });
    this.engine = new SyncEngine({
      journal: this.journal,
      transport: options.transport,
      clock: this.clock,
      interval: 60,
      report: () => ({
        core: { version: 'sim', state: 'connected', last_snapshot: this.recorder.lastSnapshot ?? 0 },
        version: 'test',
        sampleInterval: 1000,
        journalBudget: options.journalBudget,
      }),
      logger: LOGGER,
      random: options.random,
      monotonic: () => this.#monotonic(),
    });
    this.#scanner = new SnapshotScanner();
    this.#watching = false;
    this.#retryAt = 0;
    this.#diskFull = false;
    this.alive = true;
  }

  #monotonic(): number {
    return (this.options.monotonic ?? this.options.wall)();
  }

  /** One snapshot of the core arrives. */
  look(): void {
    if (!this.alive) return;
    if (!this.#watching) {
      this.recorder.opened({
        version: 'sim',
        kind: 'mihomo',
        clockOffsetMs: this.options.core.skewMs,
        fresh: true,
        polled: false,
      });
      this.#watching = true;
    }
    const frame = this.options.core.frameBytes();
    this.oracle.look(frame);
    const at = this.clock.now();
    this.earliest = Math.min(this.earliest, at);
    this.ahead = Math.max(this.ahead, at - this.options.core.now);
    const outcome = this.#scanner.scan(frame, at);
    if (!outcome.ok) throw new Error(`unreadable frame: ${outcome.detail}`);
    this.recorder.snapshot(outcome.diff);
  }

  breakFeed(reason: GapReason): void {
    if (!this.alive) return;
    this.#watching = false;
    this.oracle.broken();
    this.recorder.broken(reason);
  }

  flush(settle = !this.options.holds()): void {
    if (!this.alive) return;
    const { flushes } = this.recorder.metrics;
    if (!this.recorder.flush(settle)) {
      if (!this.#diskFull) throw new Error('the flush failed');
    } else if (this.recorder.metrics.flushes > flushes) {
      this.oracle.flushed();
    }
  }

  /** From now on nothing can be written, or it can be again. */
  diskFull(full: boolean): void {
    if (!this.alive) return;
    this.#diskFull = full;
    this.journal.db.pragma(`query_only = ${full ? 'ON' : 'OFF'}`);
  }

  /** One step of sync, unless the engine asked to wait; a crash on the way ends the process. */
  async sync(hold = this.options.holds()): Promise<'idle' | 'more' | 'crashed'> {
    if (!this.alive || this.#monotonic() < this.#retryAt) return 'idle';
    try {
      const next = await this.engine.step(hold);
      if (next.kind === 'after') this.#retryAt = this.#monotonic() + Math.min(next.ms, 5000);
      return next.kind === 'now' ? 'more' : 'idle';
    } catch (error) {
      if (this.#diskFull && String((error as { code?: string }).code).startsWith('SQLITE_READONLY'))
        return 'idle';
      if (!(error instanceof Crash)) throw error;
      this.kill();
      return 'crashed';
    }
  }

  retryNow(): void {
    this.#retryAt = 0;
  }

  /** Dies without a last flush. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.oracle.crashed();
    this.journal.close();
  }

  /** A copy of the journal file as it is on disk. */
  copy(): Buffer {
    const { alive } = this;
    if (!alive) this.start();
    const books = JSON.parse(this.journal.meta('books') ?? '{}') as Partial<BookState>;
    if (books.lastGood == null) this.copiedUnattached = true;
    const copy = this.journal.db.serialize();
    if (!alive) this.kill();
    return copy;
  }

  /** The file of another time, or none, takes the place of the journal's. The process must be dead. */
  replaceFile(content: Buffer | null): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.options.path + suffix, { force: true });
    if (content !== null) writeFileSync(this.options.path, content);
  }
}
