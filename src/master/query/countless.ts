import { mentions } from '../../domain/filter/names.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import type { Metric } from './metrics.ts';

/** What a connection may have facts on both sides of. */
const OF_FACTS = ['recovered', 'hour_of_week'];

/**
 * Whether the filter tells facts of one connection apart. Then connections cannot be counted: a fact knows the one before
 * it, but not whether that one passed the filter.
 */
export function isCountless(filter: Filter | null): boolean {
  return mentions(filter, OF_FACTS);
}

/** Why there is no count, as an error's detail says it after the name of the count. */
export const COUNTLESS_PROBLEM =
  'with a filter by recovered or hour_of_week: facts are filtered, not connections';

/** Why groups cannot be ranked by a metric: a count that is not known. Null where they can. */
export function rankingProblem(
  metric: Metric,
  { groupBy, filter }: { groupBy: readonly string[]; filter: Filter | null },
): string | null {
  if (metric !== 'connections') return null;
  if (isCountless(filter)) return COUNTLESS_PROBLEM;
  return groupBy.includes('recovered')
    ? 'when grouped by recovered: a connection may have bytes of both kinds'
    : null;
}
