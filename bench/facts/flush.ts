import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { ROLLUP_FACTS } from '../../src/master/store/maintenance.ts';
import { type Fact, MAX_CHUNK } from '../../src/master/store/store.ts';
import { percentile } from '../statistics.ts';
import type { Recipe } from './generator.ts';
import { factsByMinute, lotOf } from './lots.ts';
import { makeWorld } from './world.ts';

/**
 * The store's own way, without HTTP and records: lots of one size appended one after the other, then rolled up
 * as a master does. In a process of its own, because it measures the event loop.
 *
 * `node bench/facts/flush.ts OPTIONS_AS_JSON`
 */
export interface Flush {
  directory: string;
  recipe: Recipe;
  /** Facts of a lot; the last lot has what is left. */
  rowsPerLot: number;
  rows: number;
}

export interface Flushed {
  rowsPerSecond: number;
  p50: number;
  /** Longest that the event loop was held up. */
  stall: number;
  rollups: number[];
  rollupStall: number;
}

/** A timer is due so often; what it fires later than that is the stall. */
const RESOLUTION_MS = 5;

/** Facts in the order of their arrival, cut into lots of one size. */
function* lotsOfSize(recipe: Recipe, size: number, rows: number): Generator<Fact[]> {
  let facts: Fact[] = [];
  let left = rows;
  for (const { facts: arrived } of factsByMinute(recipe, makeWorld(recipe.seed))) {
    for (const fact of arrived) {
      facts.push(fact);
      if (facts.length < Math.min(size, left)) continue;
      yield facts;
      left -= facts.length;
      if (left <= 0) return;
      facts = [];
    }
  }
}

async function measure({ directory, recipe, rowsPerLot, rows }: Flush): Promise<Flushed> {
  const path = mkdtempSync(join(directory, 'flush-'));
  const store = new EmbeddedFactStore({ path: join(path, 'f.duckdb') });
  await store.start();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const stall = () => Math.max(0, delay.max / 1e6 - RESOLUTION_MS);
  const times: number[] = [];
  let [number, worst] = [0, 0];
  for (const facts of lotsOfSize(recipe, rowsPerLot, rows)) {
    const lot = lotOf(++number, facts, ((facts.at(-1)?.bucket ?? 0) + 1) * MINUTE_MS);
    const chunks: Fact[][] = [];
    for (let at = 0; at < facts.length; at += MAX_CHUNK) chunks.push(facts.slice(at, at + MAX_CHUNK));
    // Making facts up blocks as nothing in a master does: only the appends are watched.
    await new Promise((resolve) => setTimeout(resolve, 2 * RESOLUTION_MS));
    delay.reset();
    delay.enable();
    const begun = performance.now();
    await store.append(lot, chunks);
    times.push(performance.now() - begun);
    delay.disable();
    worst = Math.max(worst, stall());
  }
  delay.reset();
  delay.enable();
  const rollups: number[] = [];
  for (let more = true; more; ) {
    const begun = performance.now();
    ({ more } = await store.rollUp(ROLLUP_FACTS));
    rollups.push(performance.now() - begun);
  }
  delay.disable();
  await store.stop();
  rmSync(path, { recursive: true, force: true });
  const seconds = times.reduce((sum, ms) => sum + ms, 0) / 1000;
  return {
    rowsPerSecond: rows / seconds,
    p50: percentile(times, 0.5),
    stall: worst,
    rollups,
    rollupStall: stall(),
  };
}

process.send?.(await measure(JSON.parse(process.argv[2] ?? '{}') as Flush));
process.disconnect?.();
