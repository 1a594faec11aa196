import { AgentClock } from '../../src/agent/clock.ts';
import { SnapshotScanner } from '../../src/agent/collector/scanner.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { Recorder } from '../../src/agent/recorder/recorder.ts';
import { type Next, SyncEngine } from '../../src/agent/sync/engine.ts';
import type { Transport } from '../../src/agent/sync/transport.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { GapReason } from '../../src/domain/snapshot.ts';
import type { SimulatedCore } from '../../src/simulator/core.ts';

const LOGGER = silentLogger();
const BUDGET = 512 * 1024 * 1024;

export interface JournalAgentOptions {
  path: string;
  agentId?: string;
  core: SimulatedCore;
  transport: Transport;
  /** The machine's clock, epoch ms. */
  wall: () => number;
  retentionDays?: number;
}

/**
 * A real agent, from the scanner to the sync engine, without sockets and timers of its own: a test says when it
 * looks, writes and delivers. Its clock is the test's, so that hours take no time.
 */
export class JournalAgent {
  readonly journal: Journal;
  readonly recorder: Recorder;
  readonly engine: SyncEngine;
  readonly #options: JournalAgentOptions;
  readonly #clock: AgentClock;
  readonly #scanner = new SnapshotScanner();
  #watching = false;

  constructor(options: JournalAgentOptions) {
    this.#options = options;
    const { path, agentId, transport, wall, retentionDays = 7 } = options;
    this.journal = new Journal({ path, agentId });
    this.#clock = new AgentClock({
      newestMinute: this.journal.newestMinute(),
      buildDate: Date.UTC(2026, 0, 1),
      wall,
    });
    this.recorder = new Recorder({
      journal: this.journal,
      clock: this.#clock,
      logger: LOGGER,
      retentionDays,
      journalBudget: BUDGET,
    });
    this.engine = new SyncEngine({
      journal: this.journal,
      transport,
      clock: this.#clock,
      interval: 60,
      report: () => ({
        core: { version: 'sim', state: 'connected', last_snapshot: this.recorder.lastSnapshot ?? 0 },
        version: 'test',
        sampleInterval: 1000,
        journalBudget: BUDGET,
      }),
      logger: LOGGER,
    });
  }

  /** One snapshot of the core arrives, and is written. */
  look(): void {
    if (!this.see(this.#options.core.frameBytes())) throw new Error('the frame of the core is unreadable');
    if (!this.recorder.flush()) throw new Error('the journal cannot be written');
  }

  /** A message of a core arrives, whatever it is; nothing is written. Returns whether it was a snapshot. */
  see(message: string | Buffer): boolean {
    const outcome = this.#scanner.scan(Buffer.from(message), this.#clock.now());
    if (!outcome.ok) return false;
    if (!this.#watching) {
      const { skewMs } = this.#options.core;
      this.recorder.opened({
        version: 'sim',
        kind: 'mihomo',
        clockOffsetMs: skewMs,
        fresh: true,
        polled: false,
      });
      this.#watching = true;
    }
    this.recorder.snapshot(outcome.diff);
    return true;
  }

  lose(reason: GapReason): void {
    this.#watching = false;
    this.recorder.broken(reason);
  }

  step(): Promise<Next> {
    return this.engine.step();
  }

  /** Delivers until nothing is left; fails when that does not end or cannot be. Returns the steps it took. */
  async deliver(): Promise<number> {
    for (let steps = 1; steps < 2000; steps++) {
      const next = await this.step();
      if (next.kind === 'interval') return steps;
      if (next.kind === 'after') throw new Error(`cannot deliver: ${this.engine.status.failure}`);
    }
    throw new Error('delivering never ends');
  }

  close(): void {
    this.journal.close();
  }
}
