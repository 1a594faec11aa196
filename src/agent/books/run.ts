import type { Bytes } from '../../domain/connection.ts';

/** What a snapshot says of the core's run, against what was seen last (rule A6 of docs/accounting.md). */
export type RunVerdict =
  /** The run goes on; its totals rose by a difference, or stayed. */
  | 'same'
  /** The run goes on, but an application that embeds the core set its statistics back to zero. */
  | 'reset'
  /** A new run that began at zero after the last snapshot: its whole totals are new. */
  | 'restarted'
  /** Totals rose and nothing known is left: restarted or not, nobody can tell. */
  | 'ambiguous';

export interface RunEvidence {
  /** No break of the feed since the last snapshot, proven by the connection itself. */
  unbroken: boolean;
  /** Totals of the last snapshot, and of this one. */
  before: Bytes;
  now: Bytes;
  /** How many connections that were open in the books are listed now. */
  knownListed: number;
}

/** Decides by rule A6. Totals "fell" when either of the two did. */
export function judgeRun({ unbroken, before, now, knownListed }: RunEvidence): RunVerdict {
  const fell = now.download < before.download || now.upload < before.upload;
  if (unbroken || knownListed > 0) return fell ? 'reset' : 'same';
  if (now.download === before.download && now.upload === before.upload) return 'same';
  return fell ? 'restarted' : 'ambiguous';
}

/**
 * The accepted increase of the core's totals over one interval: what the books promise to explain or to show as
 * unattributed. Where totals cannot be compared, the counted connections' own growth stands in for them.
 */
export function acceptedIncrease(verdict: RunVerdict, before: Bytes, now: Bytes, counted: Bytes): Bytes {
  if (verdict === 'same') {
    return { download: now.download - before.download, upload: now.upload - before.upload };
  }
  return verdict === 'restarted' ? now : counted;
}
