import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { cpuMs, end, Helper, RssWatch, sleep, startCommand, written } from '../processes.ts';
import type { BenchOptions } from '../scenario.ts';
import { TakingMaster } from './master.ts';

export interface AgentRun {
  connections: number;
  /** Before it is measured: the feed has found its interval, the first sync is done. */
  warmUpMs: number;
  measureMs: number;
  /** Snapshots of the baseline, 0 for none. */
  baseline: number;
}

export interface AgentFigures {
  snapshots: number;
  /** Milliseconds of CPU a snapshot: the whole agent, and `JSON.parse` with a comparison by id. */
  cpu: number;
  plainCpu: number;
  rss: { median: number; peak: number };
  /** Bytes. */
  disk: number;
  calls: number;
  seconds: number;
  /** Samples that the master was given meanwhile. */
  delivered: number;
}

/** Runs the real command against a simulated core in a process of its own, and a master that takes everything. */
export async function measureAgent(run: AgentRun, options: BenchOptions): Promise<AgentFigures> {
  // Never a journal of another run: the seeded core lists the same ids again, which no core does.
  const directory = mkdtempSync(join(options.directory, `agent-${run.connections}-`));
  const core = new Helper(new URL('core.ts', import.meta.url), [String(run.connections)]);
  const { port } = await core.next<{ port: number }>();
  const master = new TakingMaster();
  const url = await master.start();
  const agent = startCommand(
    options.program,
    [
      ...['agent', '--mihomo-port', String(port), '--master-url', url, '--agent-id', 'bench'],
      ...['--local-database', join(directory, 'agent.db'), '--console', 'off'],
    ],
    join(directory, 'agent.log'),
  );
  const pid = agent.pid ?? 0;
  try {
    await sleep(run.warmUpMs);
    const snapshots = async () => (await core.ask<{ sent: number }>({})).sent;
    const rss = new RssWatch(pid);
    const taken = master.samples;
    const before = { sent: await snapshots(), cpu: cpuMs(pid), io: written(pid), at: performance.now() };
    await sleep(run.measureMs);
    const after = { sent: await snapshots(), cpu: cpuMs(pid), io: written(pid), at: performance.now() };
    const memory = rss.stop();
    await end(agent);
    const count = after.sent - before.sent;
    const delivered = master.samples - taken;
    const interval = Math.round((after.at - before.at) / count);
    return {
      snapshots: count,
      cpu: (after.cpu - before.cpu) / count,
      plainCpu: run.baseline === 0 ? Number.NaN : await measurePlain(port, interval, run.baseline),
      rss: memory,
      disk: after.io.disk - before.io.disk,
      calls: after.io.calls - before.io.calls,
      seconds: (after.at - before.at) / 1000,
      delivered,
    };
  } finally {
    await end(agent);
    master.stop();
    await core.stop();
  }
}

async function measurePlain(port: number, interval: number, snapshots: number): Promise<number> {
  const args = [port, interval, snapshots].map(String);
  const plain = new Helper(new URL('plain.ts', import.meta.url), args);
  const { cpuMs: cpu } = await plain.next<{ cpuMs: number }>();
  await plain.stop();
  return cpu;
}
