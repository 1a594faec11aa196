import { statSync } from 'node:fs';
import type { LongTask } from '../../common/progress.ts';

const LOOK_MS = 250;

/**
 * Tells how large a file has grown that somebody else writes and cannot tell of; looked at from outside, for opening it
 * here may drop a lock. Returns what ends the telling.
 */
export function watchGrowth(path: string, step: string, total: number, { report }: LongTask): () => void {
  const look = () => {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    report({ step, done: Math.min(size, total), total });
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  return () => clearInterval(timer);
}
