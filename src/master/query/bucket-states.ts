import { MINUTE_MS } from '../../domain/bucket.ts';
import { commonGaps, gapStates, joined, type Span } from './gap-state.ts';

export const BUCKET_STATES = ['ok', 'gap', 'partial', 'arriving'] as const;
export type BucketState = (typeof BUCKET_STATES)[number];

/** What is known of one agent that was asked about; epoch ms. */
export interface AgentTimes {
  readonly gaps: readonly Span[];
  /** Everything before has arrived. */
  readonly deliveredTo: number;
}

/**
 * What each point of a series can be trusted for. `gap`: no agent saw anything of it; `arriving`: some agent has not
 * delivered all of it yet; `partial`: some agent saw only a part of it.
 */
export function bucketStates(
  starts: readonly number[],
  end: number,
  agents: readonly AgentTimes[],
  now: number,
): BucketState[] {
  const whole = agents.length === 0 ? [] : commonGaps(agents.map(({ gaps }) => gaps));
  const inGap = gapStates(starts, end, whole, now);
  const touched = touchedPoints(starts, end, joined(agents.flatMap(({ gaps }) => gaps)));
  const delivered = Math.min(now, ...agents.map(({ deliveredTo }) => deliveredTo));
  return starts.map((_, index) => {
    if (inGap[index]) return 'gap';
    if ((starts[index + 1] ?? end) * MINUTE_MS > delivered) return 'arriving';
    return touched[index] ? 'partial' : 'ok';
  });
}

/** Whether any of the spans, in order and apart, reaches into each point. */
function touchedPoints(starts: readonly number[], end: number, spans: readonly Span[]): boolean[] {
  const touched = starts.map(() => false);
  for (const { from, to } of spans) {
    for (let index = pointAt(starts, from); index < starts.length; index++) {
      if ((starts[index] ?? end) * MINUTE_MS >= to) break;
      if ((starts[index + 1] ?? end) * MINUTE_MS > from) touched[index] = true;
    }
  }
  return touched;
}

/** The last point that begins at or before an instant, by halves. */
function pointAt(starts: readonly number[], at: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) * MINUTE_MS <= at) low = middle;
    else high = middle;
  }
  return low;
}
