import { DIMENSIONS } from '../../domain/dimensions.ts';
import type { Metric, SortKey, SortOrder } from '../query/metrics.ts';
import type { Period } from '../records/query.ts';

/** The original's names first, then every dimension. */
const ORIGINAL_NAMES = ['network', 'rule', 'process', 'destination', 'geoip', 'host', 'chains'] as const;
const DIMENSION_NAMES = DIMENSIONS.map((dimension) => dimension.name);

export const GROUP_KEYS: readonly string[] = [...new Set<string>([...ORIGINAL_NAMES, ...DIMENSION_NAMES])];
export const FILTER_KEYS: readonly string[] = [...new Set<string>(['agent_id', ...GROUP_KEYS])];
/** What `/stats` asks, whatever its type. Times: epoch ms, half-open; null: all that is kept, up to now. */
export interface StatsQuestion {
  readonly from: number | null;
  readonly to: number | null;
  /** IANA name. */
  readonly tz: string;
  readonly filters: Readonly<Record<string, string>>;
}

export interface GroupQuestion extends StatsQuestion {
  readonly groupBy: string;
  readonly sortBy: SortKey;
  readonly order: SortOrder;
  readonly limit: number;
}

export interface SeriesQuestion extends StatsQuestion {
  readonly interval: string;
  readonly metric: Metric;
}

export interface Sums {
  count: number;
  download: number;
  upload: number;
  total: number;
}

export interface Answered<T> {
  data: T;
  /** Stands beside the data as it is: tier, interval covered, `fresh_to`, `unattributed` … */
  meta: object;
}

/** Bytes of one agent in one period. */
export interface BookSums {
  agentId: string;
  /** Index into the periods asked for. */
  period: number;
  attributed: { download: number; upload: number };
  /** A part of attributed. */
  recovered: { download: number; upload: number };
  unattributed: { download: number; upload: number };
}

/** What the fact store answers; `master/query` implements it. */
export interface Statistics {
  summary(question: StatsQuestion): Promise<Answered<Sums>>;
  /** Rows `{<key>, count, download, upload, total}`; the key's name follows from `groupBy`. */
  group(question: GroupQuestion): Promise<Answered<object[]>>;
  /** Rows `{time, value}`, `state: "gap"` where there is no value. */
  series(question: SeriesQuestion): Promise<Answered<object[]>>;
  filterOptions(question: {
    filterType: string;
    query: string;
    limit: number;
  }): Promise<{ value: string; label: string; field: string }[]>;
  /** All that is booked, by agent; agents without facts are left out. */
  agentTotals(): Promise<{ agentId: string; download: number; upload: number }[]>;
  /** Only agents and periods that have any. */
  bookSums(periods: readonly Period[], agentId?: string): Promise<BookSums[]>;
}
