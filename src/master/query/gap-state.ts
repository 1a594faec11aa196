import { MINUTE_MS } from '../../domain/bucket.ts';

/** Epoch ms, half-open. */
export interface Span {
  from: number;
  to: number;
}

/** Where gaps come from: the records store. */
export interface GapSource {
  /**
   * The spans in which every one of the agents (null: all there are) was in a gap, of the gaps that touch `[from, to)`
   * (epoch ms); none when there are no agents.
   */
  commonGaps(from: number, to: number, agents: readonly string[] | null): Promise<readonly Span[]>;
}

/** The spans in one or more of the gaps, in order, touching ones joined. */
export function joined(gaps: readonly Span[]): Span[] {
  const spans: Span[] = [];
  for (const { from, to } of [...gaps].sort((a, b) => a.from - b.from)) {
    const last = spans.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else if (to > from) spans.push({ from, to });
  }
  return spans;
}

/** The spans that lie in one of each. */
function common(left: readonly Span[], right: readonly Span[]): Span[] {
  const spans: Span[] = [];
  let other = 0;
  for (const a of left) {
    while ((right[other]?.to ?? Number.POSITIVE_INFINITY) <= a.from) other++;
    for (let at = other; (right[at]?.from ?? Number.POSITIVE_INFINITY) < a.to; at++) {
      const b = right[at] as Span;
      spans.push({ from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) });
    }
  }
  return spans;
}

/**
 * The spans that lie in gaps of each, which are asked for one after the other, and no further than to the first that
 * has none in common with those before: of thousands of agents, that is soon.
 */
export function commonGaps(each: Iterable<readonly Span[]>): Span[] {
  let spans: Span[] | null = null;
  for (const gaps of each) {
    spans = spans === null ? joined(gaps) : common(spans, joined(gaps));
    if (spans.length === 0) break;
  }
  return spans ?? [];
}

/**
 * Whether points lie in gaps as a whole. `starts` and `end` are minutes; what lies after `now` (ms) is yet to come
 * and says nothing, so a running point is in a gap when all of it so far is.
 */
export function gapStates(
  starts: readonly number[],
  end: number,
  spans: readonly Span[],
  now: number,
): boolean[] {
  let at = 0;
  return starts.map((start, index) => {
    const from = start * MINUTE_MS;
    const to = Math.min((starts[index + 1] ?? end) * MINUTE_MS, now);
    while (at < spans.length && (spans[at]?.to ?? 0) < to) at++;
    const span = spans[at];
    return to > from && span !== undefined && span.from <= from && span.to >= to;
  });
}
