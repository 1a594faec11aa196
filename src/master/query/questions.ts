import type { Filter } from '../../domain/filter/tree.ts';
import type { Filters } from './filter.ts';
import type { GroupKey } from './group-keys.ts';
import type { Metric, SortKey, SortOrder } from './metrics.ts';

/** Bounds in epoch ms, half-open; without them all that is kept, up to now. */
export interface StatsQuestion {
  from?: number | undefined;
  to?: number | undefined;
  filters?: Filters;
  /** A filter expression, beside the filters. */
  filter?: Filter | null;
  /** IANA name, in which days and hours are meant; default UTC. */
  tz?: string;
}

export interface GroupQuestion extends StatsQuestion {
  groupBy: GroupKey;
  /** Not `count` with a filter that is countless: it would rank by what is not known. */
  sortBy?: SortKey;
  sortOrder?: SortOrder;
  /** Most groups, at most `MAX_GROUPS`, which is also the default. */
  limit?: number | undefined;
}

export interface SeriesQuestion extends StatsQuestion {
  /** As `parseInterval` takes it; default `day`. */
  interval?: string;
  metric?: Metric;
}

export interface OptionsQuestion extends StatsQuestion {
  /** What the values are of. */
  of: GroupKey;
  /** Text that they contain, ignoring case. */
  query?: string;
  limit?: number | undefined;
}

export const MAX_GROUPS = 1000;
export const MAX_POINTS = 50_000;
