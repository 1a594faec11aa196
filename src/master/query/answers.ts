import type { TierName } from '../store/store.ts';

/** Bytes and connections of a question, a group, or an agent; `total` is the sum of both directions. */
export interface Totals {
  count: number;
  download: number;
  upload: number;
  total: number;
}

/** The same where the filter may tell bytes of one connection apart (`isCountless`): `count` is null then. */
export type FilteredTotals = Omit<Totals, 'count'> & { count: number | null };

export interface BytesSum {
  download: number;
  upload: number;
}

/** What goes beside `data`: what the answer covers and what it does not say. Times are epoch ms. */
export interface StatsMeta {
  tier: TierName;
  range: { from: number; to: number };
  /** False when a bound or a point was moved outwards to what the tier can tell apart. */
  aligned: boolean;
  /** Everything that reached the master before this is in the answer. */
  fresh_to: number;
  /** From where there is data when the question reached further back and retention has cut it, else null. */
  range_cut: { from: number } | null;
  /** Bytes that no connection explains; `applies` is false when the filter names more than agents. Never summed. */
  unattributed: BytesSum & { applies: boolean };
  /** What `limit` cut off, null where nothing was. */
  other: (FilteredTotals & { groups: number }) | null;
  /** A sum of this answer is beyond 2^53 and given as 2^53 − 1; the others are exact. */
  cut: boolean;
  elapsed_ms: number;
}

export interface Answer<T> {
  data: T;
  meta: StatsMeta;
}

/** `<row key>`, `label`, and the totals. */
export type GroupRow = FilteredTotals & Record<string, string | number | null>;

export interface SeriesRow {
  /** RFC 3339, start of the point. */
  time: string;
  /** Null for `connections` where the filter may tell bytes of one connection apart. */
  value: number | null;
  /** All agents that were asked for were in a gap for the whole of it. */
  state?: 'gap';
}

export interface OptionRow {
  value: string;
  label: string;
  /** What the value is one of: a field of the record. */
  field: string;
  /** Bytes. */
  total: number;
}

/** Sums of one agent and day (`day`: epoch ms of its start in the asked zone). */
export interface DailySum {
  agent: string;
  day: number;
  attributed: BytesSum;
  /** The part of `attributed` that was recovered. */
  recovered: BytesSum;
  unattributed: BytesSum;
}
