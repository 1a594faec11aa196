import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentClock } from '../agent/clock.ts';
import { SnapshotScanner } from '../agent/collector/scanner.ts';
import { Journal } from '../agent/journal/journal.ts';
import { Recorder } from '../agent/recorder/recorder.ts';
import { byteSize } from '../common/byte-size.ts';
import { type Component, startAll, stopAll } from '../common/component.ts';
import type { Logger } from '../common/logger.ts';
import type { SimulatedCore } from '../simulator/core.ts';
import { history } from '../simulator/history.ts';
import { SimulatedCoreServer } from '../simulator/server.ts';
import { buildAgent } from './agent-parts.ts';
import { commandLogger } from './command-log.ts';
import type { ValuesOf } from './config/values.ts';
import { LocalTransport } from './local-transport.ts';
import { buildMaster, type MasterParts } from './master-parts.ts';
import type { Program } from './program.ts';

const HOST = '127.0.0.1';
const AGENTS = ['living-room', 'office'];
/** Between two snapshots of the made-up history, simulated. */
const HISTORY_STEP_MS = 30_000;
const HISTORY_FLUSH_MS = 600_000;
const SUMMARY_MS = 5000;
const BUDGET = 512 * 1024 * 1024;
/** Longest work on the history without a breath. */
const BREATH_MS = 50;
/** Two agents and the master behind them stop within the time that a program has. */
const AGENT_STOP_MS = 3000;

/** `demo`: two simulated cores with days behind them, an agent on each, a master, one address to open. */
export function demoProgram(values: ValuesOf<'demo'>): Program {
  const logger = commandLogger(values.logLevel === 'info' ? 'warn' : values.logLevel);
  const directory = values.keep ?? mkdtempSync(join(tmpdir(), 'mihomo-connections-tracker-demo-'));
  mkdirSync(directory, { recursive: true });
  const master = buildMaster({
    database: join(directory, 'master.db'),
    hasLocalAgent: false,
    http: { host: HOST, port: values.port, apiToken: null, allowHosts: [], trustedOrigins: [] },
    retention: { days: { minute: 0, half_hour: 0 }, budget: null },
    recordRetentionDays: 0,
    logger,
  });
  const seed = values.seed ?? Math.floor(Math.random() * 2 ** 32);
  const components: Component[] = [...master.components];
  for (const [i, agentId] of AGENTS.entries()) {
    components.push(
      new DemoAgent({
        agentId,
        journalPath: join(directory, `${agentId}.db`),
        seed: seed + i,
        days: values.days,
        master,
        logger: logger.child({ agent: agentId }),
      }),
    );
  }
  const summary = new Summary(master);
  components.push(summary);
  if (values.keep === undefined) {
    const remove = () => rmSync(directory, { recursive: true, force: true });
    components.unshift({ name: 'directory', start: () => {}, stop: remove });
  }
  return {
    logger,
    components,
    announce: () => {
      const api = `http://${HOST}:${master.server.port}/api/v1`;
      console.log(
        [
          '',
          `The master answers at ${api}`,
          `  ${api}/stats?type=summary`,
          `  ${api}/stats?type=group&group_by=host&sort_by=total&limit=10`,
          `  ${api}/stats?type=timeseries&interval=hour&metric=total`,
          `  ${api}/connections?limit=5`,
          `  ${api}/agents`,
          `  ${api}/verify`,
          'Ctrl-C ends it.',
          '',
        ].join('\n'),
      );
    },
  };
}

interface DemoAgentOptions {
  agentId: string;
  journalPath: string;
  seed: number;
  days: number;
  master: MasterParts;
  logger: Logger;
}

/** A simulated core, made to live through days first, and an agent on it that was offline all the while. */
class DemoAgent implements Component {
  readonly name: string;
  readonly #options: DemoAgentOptions;
  #begun: Component[] = [];

  constructor(options: DemoAgentOptions) {
    this.#options = options;
    this.name = `agent ${options.agentId}`;
  }

  async start(signal?: AbortSignal): Promise<void> {
    const { agentId, journalPath, seed, days, master, logger } = this.#options;
    console.log(`making up ${days} days of traffic for agent ${agentId} …`);
    const core = await liveThrough({ journalPath, agentId, seed, days, logger, signal });
    if (core === null) return;
    const server = new SimulatedCoreServer({ core, host: HOST, port: 0 });
    this.#begun.push({ name: 'core', start: () => {}, stop: () => server.stop() });
    await server.start();
    const agent = buildAgent({
      journalPath,
      agentId,
      target: { host: HOST, port: server.port, token: '' },
      sampleInterval: 'auto',
      retentionDays: 7,
      journalBudgetMb: BUDGET / 1024 / 1024,
      syncInterval: 2,
      transport: new LocalTransport(master.ingest, false),
      logger,
    });
    this.#begun.push(...agent.components);
    await startAll(agent.components, signal);
  }

  async stop(): Promise<void> {
    const late = await stopAll(this.#begun.splice(0), AGENT_STOP_MS);
    if (late.length > 0) throw new Error(`not stopped in time: ${late.join(', ')}`);
  }
}

interface Past {
  journalPath: string;
  agentId: string;
  seed: number;
  days: number;
  logger: Logger;
  signal: AbortSignal | undefined;
}

/**
 * Lets a simulated core live through days in seconds, recorded by the agent's own code, as if the agent had been
 * offline all the while. Returns the core, which goes on from there; null when it was interrupted.
 */
async function liveThrough(past: Past): Promise<SimulatedCore | null> {
  const { journalPath, agentId, seed, days, logger, signal } = past;
  const journal = new Journal({ path: journalPath, agentId });
  try {
    const to = Date.now();
    let now = to;
    const clock = new AgentClock({ newestMinute: 0, buildDate: 0, wall: () => now });
    const recorder = new Recorder({ journal, clock, logger, retentionDays: 0, journalBudget: BUDGET });
    const scanner = new SnapshotScanner();
    recorder.opened({ version: 'simulated', kind: 'mihomo', clockOffsetMs: 0, fresh: true, polled: false });
    let core: SimulatedCore | null = null;
    let flushed = 0;
    let paused = performance.now();
    for (const step of history({ to, days, stepMs: HISTORY_STEP_MS, seed })) {
      core = step.core;
      now = step.at;
      const outcome = scanner.scan(core.frameBytes(), now);
      if (outcome.ok) recorder.snapshot(outcome.diff);
      if (now - flushed > HISTORY_FLUSH_MS) {
        recorder.flush();
        flushed = now;
      }
      if (performance.now() - paused > BREATH_MS) {
        // Signals are heard, and the master answers, only in between.
        await new Promise((resolve) => setImmediate(resolve));
        if (signal?.aborted) return null;
        paused = performance.now();
      }
    }
    recorder.flush();
    return core;
  } finally {
    journal.close();
  }
}

/** A line every few seconds: what the master has, so that one sees it arrive and grow. */
class Summary implements Component {
  readonly name = 'summary';
  readonly #master: MasterParts;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;

  constructor(master: MasterParts) {
    this.#master = master;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.#print().finally(() => {
        this.#running = null;
      });
    }, SUMMARY_MS);
  }

  async #print(): Promise<void> {
    try {
      const { data } = await this.#master.stats.summary({});
      const top = await this.#master.stats.group({ groupBy: 'host', sortBy: 'total', limit: 1 });
      const first = top.data[0];
      const host = first === undefined ? '' : `, most of it ${String(first.host)}`;
      console.log(
        `${data.count} connections, ↓ ${byteSize(data.download)}, ↑ ${byteSize(data.upload)}${host}`,
      );
    } catch (error) {
      console.log(`no summary now: ${(error as Error).message}`);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}
