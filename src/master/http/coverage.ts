import type { Period } from '../records/query.ts';

/**
 * The share of `[from, to)` that no gap covers, 0 to 1; gaps may overlap (several journals of one agent). Null
 * for an empty interval: the agent was not there.
 */
export function coverageOf(interval: Period, gaps: readonly Period[]): number | null {
  const length = interval.to - interval.from;
  if (length <= 0) return null;
  let covered = length;
  let reached = interval.from;
  for (const gap of [...gaps].sort((a, b) => a.from - b.from)) {
    const from = Math.max(gap.from, reached);
    const to = Math.min(gap.to, interval.to);
    if (to <= from) continue;
    covered -= to - from;
    reached = to;
  }
  return covered / length;
}
