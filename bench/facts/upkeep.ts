import { monitorEventLoopDelay } from 'node:perf_hooks';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { ROLLUP_FACTS } from '../../src/master/store/maintenance.ts';

/**
 * What a master does once an hour and once a day with a file of full size: the newest hour into the coarse tier, the
 * oldest day of minutes out of the file. In a process of its own, because it measures the event loop.
 *
 * `node bench/facts/upkeep.ts FILE`
 */
export interface Upkeep {
  /** Of the file, free space left out. */
  usedBytes: number;
  rollup: number;
  rolledUp: number;
  drop: number;
  dropped: number;
  /** Giving the space free, and the copy of the file that is made before. */
  reclaim: number;
  stall: number;
}

const DAY = 1440;
const RESOLUTION_MS = 5;

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const begun = performance.now();
  const value = await work();
  return { ms: performance.now() - begun, value };
}

const store = new EmbeddedFactStore({ path: process.argv[2] ?? '' });
await store.start();
const usedBytes = await store.usedBytes();
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
const rollup = await timed(async () => {
  for (let rows = 0; ; ) {
    const step = await store.rollUp(ROLLUP_FACTS);
    rows += step.rows;
    if (!step.more) return rows;
  }
});
const { watermark, tiers } = await store.coverage();
const nextDay = (Math.floor((tiers.minute.first ?? 0) / DAY) + 1) * DAY;
const drop = await timed(() => store.dropBefore('minute', nextDay, watermark));
const reclaim = await timed(() => store.reclaim());
const upkeep: Upkeep = {
  usedBytes,
  rollup: rollup.ms,
  rolledUp: rollup.value,
  drop: drop.ms,
  dropped: drop.value,
  reclaim: reclaim.ms,
  stall: Math.max(0, delay.max / 1e6 - RESOLUTION_MS),
};
await store.stop();
process.send?.(upkeep);
process.disconnect?.();
