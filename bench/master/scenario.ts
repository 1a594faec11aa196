import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Helper, RssWatch } from '../processes.ts';
import { atLeast, atMost, type BenchOptions, figure, type Result, type Scenario } from '../scenario.ts';
import type { Load } from './bodies.ts';
import { type Delay, RunningMaster } from './running-master.ts';

type Protocol = 'v1' | 'v2';

/** Four agents at once, one request each: as many as keep the master from ever waiting for a client. */
const AGENTS = [0, 1, 2, 3];
const CONNECTIONS = 5000;
const NEW_SHARE = 0.1;
/** Rows of a batch: what an agent of v0.2.0 sends, and what one of this version puts into its largest. */
const ROWS = { v1: 1000, v2: 1667 } as const;
const MINUTE = Math.floor(Date.now() / 60_000);

interface Sent {
  count: number;
  seconds: number;
  worst: number;
}

interface Measured {
  perSecond: number;
  worst: number;
  rss: number;
  delay: Delay;
  /** Seconds after the last answer until no facts waited. */
  settled: number;
}

function loads(
  protocol: Protocol,
  rows: number,
  share: number,
  firstAgent = 0,
  connections = CONNECTIONS,
): Load[] {
  const batches = Math.ceil(rows / AGENTS.length / ROWS[protocol]);
  return AGENTS.map((agent) => ({
    agent: firstAgent + agent,
    batches,
    rows: ROWS[protocol],
    connections,
    newShare: share,
    // The last batch is of about now.
    minute: MINUTE - Math.ceil((batches * ROWS[protocol]) / connections) - 5,
  }));
}

async function deliver(master: RunningMaster, protocol: Protocol, load: Load[]): Promise<Measured> {
  const client = new Helper(new URL('client.ts', import.meta.url), [protocol, JSON.stringify(load)]);
  await client.next();
  await master.delay();
  const rss = new RssWatch(master.pid);
  const { count, seconds, worst } = await client.ask<Sent>({ port: master.port });
  const delay = await master.delay();
  const { peak } = rss.stop();
  await client.stop();
  return { perSecond: count / seconds, worst, rss: peak, delay, settled: await master.settled() };
}

async function floorOf(protocol: Protocol, load: Load, options: BenchOptions): Promise<number> {
  const file = join(options.directory, `floor-${protocol}.db`);
  const floor = new Helper(new URL('floor.ts', import.meta.url), [file, protocol, JSON.stringify(load)]);
  return (await floor.next<{ perSecond: number }>()).perSecond;
}

async function measure(protocol: Protocol, bar: number, options: BenchOptions): Promise<Result[]> {
  const unit = protocol === 'v1' ? 'records/s' : 'samples/s';
  const rows = options.quick ? 100_000 : 400_000;
  mkdirSync(options.directory, { recursive: true });
  const master = await RunningMaster.start(`master-${protocol}`, options);
  try {
    const [one] = loads(protocol, rows, NEW_SHARE);
    const floor = await floorOf(protocol, { ...one!, batches: Math.min(60, one!.batches) }, options);
    const found = await deliver(master, protocol, loads(protocol, rows, NEW_SHARE));
    const at = `Master, ${protocol}`;
    return [
      atLeast(`${at}: taken durably`, found.perSecond, bar, unit, (found.perSecond / floor).toFixed(2)),
      atMost(`${at}: resident memory, peak`, found.rss, 350, 'MB'),
      atMost(`${at}: main thread late, most`, found.delay.max, 100, 'ms'),
      atMost(`${at}: main thread late, p99`, found.delay.p99, 20, 'ms'),
      figure(`${at}: slowest answer`, found.worst, 'ms'),
      figure(`${at}: facts all stored after the last answer by`, found.settled, 's'),
      figure(`${at}: parsing and one narrow durable row each`, floor, unit, '1'),
    ];
  } finally {
    await master.stop();
  }
}

/** A database that has grown: new connections only until it is full, then the usual load of both kinds. */
async function measureGrown(options: BenchOptions): Promise<Result[]> {
  const records = options.quick ? 200_000 : 1_000_000;
  const rounds = 10;
  const rows = options.quick ? 50_000 : 200_000;
  const master = await RunningMaster.start('master-grown', options);
  try {
    let slowest = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      const filling = loads('v1', records / rounds, 1, 100 + round * AGENTS.length, 1000);
      slowest = Math.min(slowest, (await deliver(master, 'v1', filling)).perSecond);
    }
    const size = `${(records / 1e6).toFixed(1)} M records`;
    const v1 = await deliver(master, 'v1', loads('v1', rows, NEW_SHARE));
    const v2 = await deliver(master, 'v2', loads('v2', rows, NEW_SHARE));
    return [
      figure(`Master, v1: only new connections up to ${size}, slowest tenth`, slowest, 'records/s'),
      figure(`Master with ${size}, v1: taken durably`, v1.perSecond, 'records/s'),
      figure(`Master with ${size}, v2: taken durably`, v2.perSecond, 'samples/s'),
      figure(`Master with ${size}: resident memory, peak`, Math.max(v1.rss, v2.rss), 'MB'),
      figure(`Master with ${size}: main thread late, most`, Math.max(v1.delay.max, v2.delay.max), 'ms'),
    ];
  } finally {
    await master.stop();
  }
}

export const INGEST: Scenario = {
  name: 'master',
  method: `The whole \`master\` command, loaded over HTTP by another process with bodies made beforehand: four agents of
${CONNECTIONS} connections each, a tenth of the rows of new connections, ${ROWS.v1} records (v1) or ${ROWS.v2} samples (v2, gzip) a body. Every
answer stands for a commit with \`synchronous=FULL\`; facts go into DuckDB meanwhile. How late the main thread is comes from
a timer due every 10 ms inside the master. The baseline parses the same bodies and writes one narrow row a record into
SQLite, just as durably, with no HTTP, merge or facts.`,
  async run(options) {
    return [
      ...(await measure('v1', 20_000, options)),
      ...(await measure('v2', 40_000, options)),
      ...(await measureGrown(options)),
    ];
  },
};
