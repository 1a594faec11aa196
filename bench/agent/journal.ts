import { atMost, figure, type Scenario } from '../scenario.ts';
import { measureAgent } from './measure.ts';

const CONNECTIONS = 1000;
const GB = 1e9;
/** What agents of the original write under the same load, measured on it: a row of the wide table for each change. */
const ORIGINAL_GB = 115;

/** Bytes written to the disk by the agent's journal, extrapolated to a day. */
export const JOURNAL: Scenario = {
  name: 'journal',
  method: `The same, for ${CONNECTIONS} connections: \`write_bytes\` of \`/proc/PID/io\` over some minutes of flushes, acknowledged
syncs and checkpoints, extrapolated to a day; the ratio is to the ${ORIGINAL_GB} GB of an agent of v0.2.0.`,
  async run(options) {
    const measureMs = options.quick ? 120_000 : 300_000;
    const run = { connections: CONNECTIONS, warmUpMs: 150_000, measureMs, baseline: 0 };
    const figures = await measureAgent(run, options);
    const day = (bytes: number) => ((bytes / figures.seconds) * 86_400) / GB;
    const disk = day(figures.disk);
    return [
      atMost('Journal, 1,000 connections: written a day', disk, 1.5, 'GB', (disk / ORIGINAL_GB).toFixed(3)),
      figure('Journal, 1,000 connections: by write calls, sockets included', day(figures.calls), 'GB'),
      figure('Journal, 1,000 connections: measured for', figures.seconds, 's'),
    ];
  },
};
