import { AgentClock } from '../../src/agent/clock.ts';
import { SnapshotScanner } from '../../src/agent/collector/scanner.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { Recorder } from '../../src/agent/recorder/recorder.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { SimulatedCore } from '../../src/simulator/core.ts';
import { HOUSEHOLD } from '../../src/simulator/profiles.ts';

const DAY_MS = 86_400_000;
/** Simulated, between two snapshots: two looks in each minute. */
const STEP_MS = 30_000;
const FLUSH_MS = 300_000;
/** Of the arrivals; they are never listed and show in the totals only. */
const INVISIBLE = 0.25;

export interface MadeUpOptions {
  journal: string;
  agentId: string;
  days: number;
  connections: number;
  /** Bytes. */
  budget: number;
  seed: number;
}

export interface MadeUp {
  /** Goes on from there, for an agent that delivers. */
  core: SimulatedCore;
  /** Largest size that the journal told, seen right after each flush. */
  largest: number;
  thinned: number;
  lost: number;
  seconds: number;
}

/** Days without a master, recorded by the agent's own code by a simulated clock that ends now. */
export function makeUp({ journal: path, agentId, days, connections, budget, seed }: MadeUpOptions): MadeUp {
  const began = performance.now();
  const to = Date.now();
  const steps = Math.ceil((days * DAY_MS) / STEP_MS);
  const core = new SimulatedCore({
    seed,
    startAt: to - steps * STEP_MS,
    forgetClosed: true,
    profile: {
      ...HOUSEHOLD,
      hourly: null,
      arrivals: connections / (days * 86_400) / (1 - INVISIBLE),
      invisibleShare: INVISIBLE,
      pageEveryMs: Number.POSITIVE_INFINITY,
      dnsPerSecond: 0,
      tornShare: 0,
    },
  });
  const journal = new Journal({ path, agentId });
  const clock = new AgentClock({ newestMinute: 0, buildDate: 0, wall: () => core.now });
  const recorder = new Recorder({
    journal,
    clock,
    logger: silentLogger(),
    retentionDays: 7,
    journalBudget: budget,
  });
  const scanner = new SnapshotScanner();
  recorder.opened({ version: 'simulated', kind: 'mihomo', clockOffsetMs: 0, fresh: true, polled: false });
  let largest = 0;
  let flushed = 0;
  for (let step = 0; step <= steps; step++) {
    if (step > 0) core.advance(STEP_MS);
    const outcome = scanner.scan(core.frameBytes(), core.now);
    if (!outcome.ok) throw new Error(outcome.detail);
    recorder.snapshot(outcome.diff);
    if (core.now - flushed < FLUSH_MS && step < steps) continue;
    if (!recorder.flush()) throw new Error('the journal could not be written');
    flushed = core.now;
    largest = Math.max(largest, journal.size());
  }
  journal.close();
  const { thinned, lostConnections } = recorder.metrics;
  const seconds = (performance.now() - began) / 1000;
  return { core, largest, thinned, lost: lostConnections, seconds };
}
