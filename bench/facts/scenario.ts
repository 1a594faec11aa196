import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { minuteOf } from '../../src/domain/bucket.ts';
import { FACT_BYTES } from '../../src/master/ingest/lots.ts';
import { RunningMaster } from '../master/running-master.ts';
import { Helper, RssWatch } from '../processes.ts';
import { atMost, type BenchOptions, figure, type Result, type Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';
import { Asker, keptInOrder } from './asker.ts';
import { measureBaseline } from './baseline.ts';
import { Dataset } from './dataset.ts';
import type { Flush, Flushed } from './flush.ts';
import { measureLoad } from './load-test.ts';
import { ShapeTimer, shapeResult } from './measure-shapes.ts';
import { shapesOf } from './shapes.ts';
import type { Upkeep } from './upkeep.ts';

const MILLION = 1_000_000;
/** Any day does: flushes do not look at the clock. */
const FLUSHED_FROM = minuteOf(Date.UTC(2026, 0, 1));
const RUNS = 21;
const QUICK_RUNS = 11;
/** Bars of the disk, in bytes a connection, for five million and more: a small file is mostly what is always there. */
const DISK = { facts: 75, records: 420 };
const RSS_MB = 450;
/** What the data set holds must stay as it was made, whenever it is measured. */
const KEEP_ALL = ['--minute-retention-days', '0', '--half-hour-retention-days', '0'];

function sizeName(connections: number): string {
  return connections >= MILLION ? `${connections / MILLION} M` : `${connections / 1000} k`;
}

/** The store's own way: append and roll up, at several sizes of lots. */
async function measureFlush(options: BenchOptions): Promise<Result[]> {
  const rows: Result[] = [];
  for (const rowsPerLot of [100, 1000, 10_000]) {
    const flush: Flush = {
      directory: options.directory,
      recipe: { seed: options.seed, connections: 5 * MILLION, days: 90, firstMinute: FLUSHED_FROM },
      rowsPerLot,
      rows: Math.min(options.quick ? 50_000 : 200_000, rowsPerLot * 200),
    };
    const helper = new Helper(new URL('flush.ts', import.meta.url), [JSON.stringify(flush)]);
    const found = await helper.next<Flushed>();
    const at = `Flush, lots of ${rowsPerLot.toLocaleString('en-US')} facts`;
    rows.push(
      figure(`${at}: stored`, found.rowsPerSecond, 'facts/s'),
      figure(`${at}: a lot, p50`, found.p50, 'ms'),
      figure(`${at}: longest stall of the event loop`, found.stall, 'ms'),
      figure(`${at}: a step of the rollup, p50`, median(found.rollups), 'ms'),
      figure(`${at}: longest stall in the rollup`, found.rollupStall, 'ms'),
    );
  }
  return rows;
}

/** What a master does by the hour and by the day, on a copy of the file. */
async function measureUpkeep(at: string, dataset: Dataset, options: BenchOptions): Promise<Result[]> {
  const directory = join(options.directory, `${at} upkeep`);
  const helper = new Helper(new URL('upkeep.ts', import.meta.url), [dataset.copyTo(directory).facts]);
  const found = await helper.next<Upkeep>();
  rmSync(directory, { recursive: true });
  const count = (rows: number) => rows.toLocaleString('en-US');
  return [
    bytesEach(dataset, `${at}: facts, both tiers, aside and dictionaries`, found.usedBytes, DISK.facts),
    bytesEach(dataset, `${at}: the facts file, with space that is free for others`, dataset.bytes('facts')),
    figure(`${at}: rollup of the newest hour into ${count(found.rolledUp)} rows`, found.rollup, 'ms'),
    figure(`${at}: dropping the oldest day of minutes, ${count(found.dropped)} rows`, found.drop, 'ms'),
    figure(`${at}: giving its space free`, found.reclaim, 'ms'),
    figure(`${at}: longest stall of the event loop meanwhile`, found.stall, 'ms'),
  ];
}

function bytesEach(dataset: Dataset, what: string, bytes: number, limit?: number): Result {
  const { connections } = dataset.recipe;
  const unit = 'bytes a connection';
  return limit !== undefined && connections >= 5 * MILLION
    ? atMost(what, bytes / connections, limit, unit)
    : figure(what, bytes / connections, unit);
}

function recordsOnDisk(at: string, dataset: Dataset): Result[] {
  if (!dataset.hasRecords) return [];
  const of = (file: 'records' | 'original' | 'originalIndexed') => dataset.bytes(file);
  return [
    bytesEach(dataset, `${at}: records on disk, without pending lots`, of('records'), DISK.records),
    bytesEach(dataset, `${at}: the original's database`, of('original')),
    bytesEach(dataset, `${at}: the original's with helpful indexes`, of('originalIndexed')),
  ];
}

/** Facts that the records keep until a backup has them: bounded by their number times a size that must hold. */
function pendingLots(at: string, path: string): Result[] {
  const db = new Database(path, { readonly: true });
  const one = (text: string) => Number(db.prepare(text).pluck().get());
  const facts = one('SELECT count(*) FROM pending_facts');
  const bytes = one("SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'pending_facts%'");
  db.close();
  return [
    figure(
      `${at}: pending lots after the load, of ${facts.toLocaleString('en-US')} facts`,
      bytes / 1e6,
      'MB',
    ),
    atMost(
      `${at}: a pending fact, by which their bound of 512 MB counts`,
      bytes / facts,
      FACT_BYTES,
      'bytes',
    ),
  ];
}

/** What was measured, told at once: the whole takes long. */
class Rows {
  readonly all: Result[] = [];

  push(...rows: readonly Result[]): void {
    for (const { what, measured } of rows) console.log(`${what}: ${measured}`);
    this.all.push(...rows);
  }
}

async function measureSize(connections: number, options: BenchOptions, rows: Rows): Promise<void> {
  const at = sizeName(connections);
  const say = (line: string) => console.log(`${at}: ${line}`);
  const dataset = await Dataset.get({ data: options.data, connections, seed: options.seed, say });
  const { facts, seconds } = dataset.loaded;
  rows.push(figure(`${at}: facts that came in ${dataset.recipe.days} d`, facts / MILLION, 'M'));
  rows.push(figure(`${at}: making the facts, every hour rolled up`, seconds.facts, 's'));
  rows.push(...recordsOnDisk(at, dataset));
  say('upkeep');
  rows.push(...(await measureUpkeep(at, dataset, options)));
  const { records } = dataset.copyTo(join(options.directory, at));
  const master = await RunningMaster.start(at, options, KEEP_ALL);
  const asker = new Asker(master.port);
  try {
    await keptInOrder(asker);
    const watch = new RssWatch(master.pid);
    const runs = options.quick ? QUICK_RUNS : RUNS;
    const timer = new ShapeTimer(master, dataset, runs);
    const millions = connections / MILLION;
    say('one question after the other');
    for (const shape of shapesOf(dataset.world)) {
      const bar = millions === 5 || millions === 25 ? shape.bars[millions] : undefined;
      rows.push(shapeResult(at, shape, await timer.time(shape, bar), bar));
    }
    timer.close();
    if (dataset.hasRecords) {
      say("the original's schema");
      rows.push(...(await measureBaseline(at, asker, dataset, runs)));
    }
    rows.push(
      atMost(`${at}: resident memory of the master meanwhile, peak`, watch.stop().peak, RSS_MB, 'MB'),
    );
    say('questions and samples at once');
    const loaded = new RssWatch(master.pid);
    rows.push(...(await measureLoad(master, dataset, options)));
    rows.push(figure(`${at}: resident memory of the master under load, peak`, loaded.stop().peak, 'MB'));
  } finally {
    asker.close();
    await master.stop();
  }
  rows.push(...pendingLots(at, records));
}

export const FACTS: Scenario = {
  name: 'facts',
  method: `A seeded generator gives 90 days of traffic: 20 agents, 50,000 hosts and 80,000 addresses by Zipf's law, a rhythm of days and
weekends, one connection in ten 10 minutes or 4 hours long with its bytes spread over them, 2 % of the facts up to three
hours late. It lies in the files as the store itself lays it (a test compares both, row by row): rolled up every hour, minutes kept 14
days. Questions go by HTTP to the \`master\` command with its defaults (128 MB for DuckDB), one after the other; no two are
equal, so that no kept answer helps. Without another interval in its name a question is over all 90 days. p95 of ${RUNS} runs, 2 before
them not counted; CPU is what the master spends on one in all its threads; a bar missed by up to 20 % is measured three times more and the median counts. The original's side is its own SQL
(commit efc716f) on its own table, in SQLite in one process without its HTTP, median of 3 runs.`,
  plots: [
    { name: 'latency', title: 'Answers of one question, p95, and their bars', axis: 'milliseconds' },
    { name: 'original', title: "The same data in the original's schema", axis: 'milliseconds' },
  ],
  async run(options) {
    const rows = new Rows();
    rows.push(...(await measureFlush(options)));
    for (const connections of options.connections) await measureSize(connections, options, rows);
    return rows.all;
  },
};
