import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentClock } from '../agent/clock.ts';
import { SnapshotScanner } from '../agent/collector/scanner.ts';
import { Journal } from '../agent/journal/journal.ts';
import { byteSize } from '../agent/monitor/byte-size.ts';
import { Recorder } from '../agent/recorder/recorder.ts';
import type { Component } from '../common/component.ts';
import { createLogger, type Logger } from '../common/logger.ts';
import type { SimulatedCore } from '../simulator/core.ts';
import { history } from '../simulator/history.ts';
import { SimulatedCoreServer } from '../simulator/server.ts';
import { buildAgent } from './agent-parts.ts';
import type { ValuesOf } from './config/values.ts';
import { LocalTransport } from './local-transport.ts';
import { buildMaster, type MasterParts } from './master-parts.ts';
import type { Program } from './program.ts';

const HOST = '127.0.0.1';
const AGENTS = ['living-room', 'office'];
/** Between two snapshots of the made-up history, simulated. */
const HISTORY_STEP_MS = 15_000;
const HISTORY_FLUSH_MS = 600_000;
const SUMMARY_MS = 5000;
const BUDGET = 512 * 1024 * 1024;

/**
 * Lets a simulated core live through days in seconds, recorded by the agent's own code, as if the agent had been
 * offline all the while. Returns the core, which goes on from there.
 */
function liveThrough(
  journalPath: string,
  agentId: string,
  seed: number,
  days: number,
  logger: Logger,
): SimulatedCore {
  const journal = new Journal({ path: journalPath, agentId });
  const to = Date.now();
  let now = to;
  const clock = new AgentClock({ newestMinute: 0, buildDate: 0, wall: () => now });
  const recorder = new Recorder({ journal, clock, logger, retentionDays: 0, journalBudget: BUDGET });
  const scanner = new SnapshotScanner();
  recorder.opened({ version: 'simulated', kind: 'mihomo', clockOffsetMs: 0, fresh: true, polled: false });
  let core: SimulatedCore | undefined;
  let flushed = 0;
  for (const step of history({ to, days, stepMs: HISTORY_STEP_MS, seed })) {
    core = step.core;
    now = step.at;
    const outcome = scanner.scan(core.frameBytes(), now);
    if (outcome.ok) recorder.snapshot(outcome.diff);
    if (now - flushed > HISTORY_FLUSH_MS) {
      recorder.flush();
      flushed = now;
    }
  }
  recorder.flush();
  journal.close();
  if (core === undefined) throw new Error('a history of no days');
  return core;
}

/** `demo`: two simulated cores with days behind them, an agent on each, a master, one address to open. */
export async function demoProgram(values: ValuesOf<'demo'>): Promise<Program> {
  const logger = createLogger(values.logLevel === 'info' ? 'warn' : values.logLevel);
  const directory = values.keep ?? mkdtempSync(join(tmpdir(), 'mihomo-connections-tracker-demo-'));
  mkdirSync(directory, { recursive: true });
  const seed = values.seed ?? 1;
  const master = buildMaster({
    database: join(directory, 'master.db'),
    hasLocalAgent: false,
    http: { host: HOST, port: values.port, apiToken: null, allowHosts: [], trustedOrigins: [] },
    logger,
  });
  const components: Component[] = [...master.components];
  for (const [i, agentId] of AGENTS.entries()) {
    console.log(`making up ${values.days} days of traffic for agent ${agentId} …`);
    const journalPath = join(directory, `${agentId}.db`);
    const core = liveThrough(journalPath, agentId, seed + i, values.days, logger);
    const server = new SimulatedCoreServer({ core, host: HOST, port: 0 });
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
      logger: logger.child({ agent: agentId }),
    });
    components.push(
      { name: `core of ${agentId}`, start: () => {}, stop: () => server.stop() },
      ...agent.components,
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
