import { v2Bodies } from '../master/bodies.ts';
import { percentile } from '../statistics.ts';
import { Asker } from './asker.ts';

/**
 * A process that delivers samples at a steady rate: agents that each send a batch every so often, out of step with
 * each other. It answers how long the master took.
 *
 * `node bench/facts/steady.ts OPTIONS_AS_JSON`
 */
export interface Steady {
  agents: number;
  samplesPerSecond: number;
  intervalMs: number;
  seconds: number;
  /** Minute since the epoch of the first batch. */
  minute: number;
}

export interface SteadyResult {
  samples: number;
  seconds: number;
  worst: number;
  p95: number;
  failures: string[];
}

const options = JSON.parse(process.argv[2] ?? '{}') as Steady;
const batches = Math.ceil((options.seconds * 1000) / options.intervalMs);
const rows = Math.round((options.samplesPerSecond * options.intervalMs) / 1000 / options.agents);
const queues = Array.from({ length: options.agents }, (_, agent) =>
  v2Bodies({ agent, batches, rows, connections: rows, newShare: 0.1, minute: options.minute }),
);

async function deliver(port: number): Promise<SteadyResult> {
  const times: number[] = [];
  const failures: string[] = [];
  let samples = 0;
  const begun = performance.now();
  const each = async (agent: number) => {
    const asker = new Asker(port);
    const offset = (options.intervalMs * agent) / options.agents;
    for (const [i, body] of queues[agent]!.entries()) {
      const due = begun + offset + i * options.intervalMs;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      const answer = await asker.send(body.path, body.headers, body.bytes);
      times.push(answer.ms);
      if (answer.status === 200) samples += body.count;
      else failures.push(`${answer.status} ${answer.text.slice(0, 200)}`);
    }
    asker.close();
  };
  await Promise.all(queues.map((_, agent) => each(agent)));
  const seconds = (performance.now() - begun) / 1000;
  return { samples, seconds, worst: Math.max(...times), p95: percentile(times, 0.95), failures };
}

process.on('disconnect', () => process.exit());
process.on('message', async ({ port }: { port: number }) => {
  process.send?.(await deliver(port));
});
process.send?.('ready');
