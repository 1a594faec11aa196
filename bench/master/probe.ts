import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into the master with `--import`: answers each message with how late its main thread was since the one
 * before. A timer is due every 10 ms; what it fires later than that is the delay.
 */
const RESOLUTION_MS = 10;

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  process.on('message', () => {
    const answer = { max: late(delay.max), p99: late(delay.percentile(99)), p50: late(delay.percentile(50)) };
    delay.reset();
    process.send?.(answer);
  });
  process.channel?.unref();
}
