import { join } from 'node:path';
import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { DIMENSIONS } from '../../src/domain/dimensions.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../src/domain/export.ts';
import { Asker, dataOf, keptInOrder } from '../facts/asker.ts';
import { type Delay, RunningMaster } from '../master/running-master.ts';
import { RssWatch, rssMb, sleep } from '../processes.ts';
import { atMost, type BenchOptions, figure, type Result, type Scenario } from '../scenario.ts';
import { type Downloaded, download } from './download.ts';
import { FIRST_MINUTE, fillMaster, MINUTES } from './fill.ts';

const MILLION = 1_000_000;
const ROWS = 10 * MILLION;
const QUICK_ROWS = MILLION;
/** Bar of the growth, and of all that a master takes. */
const GROWTH_MB = 100;
const RSS_MB = 450;
/** The facts must stay: they are older than a master keeps minutes. */
const KEEP_ALL = ['--minute-retention-days', '0', '--half-hour-retention-days', '0'];
const FROM = FIRST_MINUTE * MINUTE_MS;
const TO = FROM + MINUTES * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;

interface Measured extends Downloaded {
  before: number;
  median: number;
  peak: number;
  delay: Delay;
}

/**
 * What a dashboard asks: who used the traffic of all the time, by each dimension. Up to a minute on no half hour, or the
 * half hours would be asked.
 */
async function askEverything(asker: Asker): Promise<void> {
  const range = { from: new Date(FROM).toISOString(), to: new Date(TO - 7 * MINUTE_MS).toISOString() };
  for (const { name } of DIMENSIONS) {
    dataOf(
      await asker.post('/api/v1/query', { ...range, group_by: [name], metrics: ['total', 'connections'] }),
    );
  }
}

/** In a master of its own, so that no export leaves anything to the one after it. */
async function measure(
  format: ExportFormat,
  inUse: boolean,
  name: string,
  options: BenchOptions,
): Promise<Measured> {
  const master = await RunningMaster.start(name, options, KEEP_ALL);
  const asker = new Asker(master.port);
  try {
    await keptInOrder(asker);
    await download(master.port, format, FROM, FROM + HOUR_MS);
    if (inUse) await askEverything(asker);
    await sleep(2000);
    const before = rssMb(master.pid);
    await master.delay();
    const watch = new RssWatch(master.pid);
    const downloaded = await download(master.port, format, FROM, TO);
    const { median, peak } = watch.stop();
    return { ...downloaded, before, median, peak, delay: await master.delay() };
  } finally {
    asker.close();
    await master.stop();
  }
}

async function measureFormat(
  format: ExportFormat,
  rows: number,
  name: string,
  options: BenchOptions,
): Promise<Result[]> {
  const at = `Export, ${rows / MILLION} M facts, ${format}`;
  const found = await measure(format, true, name, options);
  const head = format === 'csv' ? 1 : 0;
  if (format !== 'parquet' && found.lines !== rows + head) throw new Error(`${at}: ${found.lines} lines`);
  const fresh = await measure(format, false, name, options);
  const growth = found.peak - found.before;
  return [
    atMost(`${at}: growth of the master in use, peak`, growth, GROWTH_MB, 'MB'),
    figure(`${at}: the same, median`, found.median - found.before, 'MB'),
    figure(`${at}: growth of a master just started, peak`, fresh.peak - fresh.before, 'MB'),
    atMost(`${at}: resident memory of either, peak`, Math.max(found.peak, fresh.peak), RSS_MB, 'MB'),
    figure(`${at}: main thread late meanwhile, p99`, found.delay.p99, 'ms'),
    figure(`${at}: size`, found.bytes / 1e6, 'MB'),
    figure(`${at}: duration`, found.seconds, 's'),
  ];
}

export const EXPORTS: Scenario = {
  name: 'exports',
  method: `The whole \`master\` command with its defaults and ${ROWS / MILLION} million facts of 90 days (50,000 hosts, 80,000
addresses), of which all minutes are taken at once over HTTP and thrown away by the client. Growth is against the resident
memory just before, after an export of one hour: in use, every dimension was asked for over all the time before, as a
dashboard does; a master just started has read nothing yet, so that what the fact store keeps of its file (a part of its 256 MB) is
in its growth. Every format has masters of its own.`,
  async run(options) {
    const rows = options.quick ? QUICK_ROWS : ROWS;
    const name = 'exports';
    await fillMaster(join(options.directory, name), rows);
    const results: Result[] = [];
    for (const format of EXPORT_FORMATS) results.push(...(await measureFormat(format, rows, name, options)));
    return results;
  },
};
