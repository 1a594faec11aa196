import { atMost, type BenchOptions, figure, type Result, type Scenario } from '../scenario.ts';
import { measureAgent } from './measure.ts';

interface Size {
  connections: number;
  cpuMs: number;
  rssMb: number;
  ratio?: number;
}

const SIZES: readonly Size[] = [
  { connections: 1000, cpuMs: 4, rssMb: 90 },
  { connections: 10_000, cpuMs: 20, rssMb: 150, ratio: 0.45 },
];

async function measureSize(size: Size, options: BenchOptions): Promise<Result[]> {
  const { connections } = size;
  const figures = await measureAgent(
    {
      connections,
      // The first sync comes within a minute and takes what no later one does, the rows of all connections; the second
      // one begins the rhythm of one a minute.
      warmUpMs: 150_000,
      // Whole intervals of sync, so that its share is what it is.
      measureMs: options.quick ? 60_000 : 180_000,
      baseline: options.quick ? 10 : 30,
    },
    options,
  );
  const at = `Agent, ${connections.toLocaleString('en-US')} connections`;
  const ratio = figures.cpu / figures.plainCpu;
  const rows = [
    atMost(`${at}: CPU a snapshot`, figures.cpu, size.cpuMs, 'ms', ratio.toFixed(2)),
    atMost(`${at}: resident memory, peak`, figures.rss.peak, size.rssMb, 'MB'),
    figure(`${at}: resident memory, median`, figures.rss.median, 'MB'),
    figure(`${at}: JSON.parse and comparison alone`, figures.plainCpu, 'ms', '1'),
    figure(`${at}: snapshots, samples delivered`, figures.snapshots, `, ${figures.delivered}`),
  ];
  if (size.ratio !== undefined)
    rows.splice(1, 0, atMost(`${at}: CPU against JSON.parse`, ratio, size.ratio, ''));
  return rows;
}

export const AGENT: Scenario = {
  name: 'agent',
  method: `The whole \`agent\` command (feed, scanner, books, journal with its flushes, sync every 60 s) with its defaults,
against a simulated core in another process all of whose connections move between any two snapshots. CPU is user and
system time of the process over the snapshots taken; memory is sampled every 200 ms. The baseline is \`JSON.parse\` and a
comparison by id of the same feed's snapshots in a process of its own, without receiving them.`,
  async run(options) {
    const results: Result[] = [];
    for (const size of SIZES) results.push(...(await measureSize(size, options)));
    return results;
  },
};
