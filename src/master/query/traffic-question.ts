import type { QueryDimension } from '../../domain/dimensions.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import type { Metric } from './metrics.ts';

export const TOP_MODES = ['combination', 'each'] as const;
export type TopMode = (typeof TOP_MODES)[number];

/** Epoch milliseconds, half-open. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** What `POST /query` asks, after its words were read. */
export interface TrafficQuestion {
  /** Without a bound: from where data begins, up to now. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** IANA name. */
  readonly tz: string;
  /** Agents asked for; null for all. */
  readonly agents: readonly string[] | null;
  readonly filter: Filter | null;
  /** Overlay connections too, whose bytes repeat those of counted ones. */
  readonly overlay: boolean;
  /** Up to `MAX_DIMENSIONS`, none twice. */
  readonly groupBy: readonly QueryDimension[];
  /** What is summed; bytes always are. At least one. */
  readonly metrics: readonly Metric[];
  /** Width of the points of a series, as `parseInterval` takes it; `auto`; null for no series. */
  readonly interval: string | null;
  /** Groups before the rest is folded into `other`: tuples, or values of each dimension. */
  readonly top: number;
  readonly topBy: Metric;
  readonly topMode: TopMode;
  readonly compare: 'previous' | TimeRange | null;
}

export const MAX_DIMENSIONS = 4;
/** Groups × points × metrics of an answer. */
export const MAX_CELLS = 50_000;
