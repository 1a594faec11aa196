import type { TierName } from '../store/store.ts';
import type { BytesSum } from './answers.ts';
import type { BucketState } from './bucket-states.ts';
import type { Metric } from './metrics.ts';

/**
 * Sums of a group, of what is folded, or of everything. Bytes always; the others when asked for. `recovered` is a part of
 * the bytes. Counts are null where they cannot be known: of unattributed bytes, and where a question tells the facts of
 * one connection apart (by `recovered`, or by hours of the week in its filter).
 */
export interface TrafficTotals {
  download: number;
  upload: number;
  total: number;
  connections?: number | null;
  opened?: number | null;
  recovered?: number;
}

/** By metric asked for, a value for each bucket; null in a gap without any bytes, or where a count cannot be known. */
export type TrafficSeries = Partial<Record<Metric, (number | null)[]>>;

export interface TrafficPart {
  totals: TrafficTotals;
  previous: TrafficTotals | null;
  /** Null without an interval. */
  series: TrafficSeries | null;
}

export interface TrafficGroup extends TrafficPart {
  /** Texts in the order of `group_by`; '' for none, null for all values beyond the top ones of that dimension. */
  key: (string | null)[];
  labels: (string | null)[];
}

export interface TrafficOther extends TrafficPart {
  /** How many groups it stands for; null where they were never told apart. */
  groups: number | null;
}

/** An interval without snapshots, times RFC 3339 in UTC. */
export interface TrafficGap {
  agent_id: string;
  from: string;
  to: string;
  reason: string;
}

export interface TrafficData {
  /** RFC 3339 with the offset of the zone; empty without an interval. */
  buckets: string[];
  bucket_states: BucketState[];
  gaps: TrafficGap[];
  groups: TrafficGroup[];
  /** Null where nothing was folded. */
  other: TrafficOther | null;
  /** Null where the filter asks for more than agents and time. */
  unattributed: TrafficPart | null;
  /** Groups, other and unattributed together. */
  summary: Omit<TrafficPart, 'series'>;
}

/** Epoch ms, half-open. */
export interface AnsweredRange {
  from: number;
  to: number;
}

export interface TrafficMeta {
  range: AnsweredRange;
  /** The period compared with. */
  previous: AnsweredRange | null;
  /** Width of the points, `auto` resolved; null for no series. */
  interval: string | null;
  tier: TierName;
  /** False when bounds or points were moved outwards to what the tier can tell apart. */
  aligned: boolean;
  fresh_to: number;
  range_cut: { from: number } | null;
  elapsed_ms: number;
  unattributed: BytesSum & { applies: boolean };
  /** Of the agents asked about: up to where their traffic is booked, and how much later their core was last seen. */
  freshness: { agent_id: string; booked_to: number; backlog_ms: number }[];
  /** Gaps beyond those listed. */
  gaps_omitted: number;
  /** A sum is beyond 2^53 and given as 2^53 − 1. */
  cut: boolean;
}

export interface TrafficAnswer {
  data: TrafficData;
  meta: TrafficMeta;
}
