import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into the master with `--import`: at each SIGUSR2 it writes down how late the main thread was since the one
 * before. A timer is due every 10 ms; what it fires later than that is the delay. By signal and file, for they
 * outlive the command's replacing itself at its start.
 */
const RESOLUTION_MS = 10;
const file = process.env.BENCH_DELAY_FILE;

if (isMainThread && file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  process.on('SIGUSR2', () => {
    const found = { max: late(delay.max), p99: late(delay.percentile(99)), p50: late(delay.percentile(50)) };
    delay.reset();
    writeFileSync(`${file}.new`, JSON.stringify(found));
    renameSync(`${file}.new`, file);
  });
}
