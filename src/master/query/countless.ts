import { mentions } from '../../domain/filter/names.ts';
import type { Filter } from '../../domain/filter/tree.ts';

/** What a connection may have facts on both sides of. */
const OF_FACTS = ['recovered', 'hour_of_week'];

/** Why groups cannot be ranked by a count that is not known, as an error's detail says it after the name of the count. */
export const COUNTLESS_PROBLEM =
  'with a filter by recovered or hour_of_week: facts are filtered, not connections';

/**
 * Whether the filter tells facts of one connection apart. Then connections cannot be counted: a fact knows the one before
 * it, but not whether that one passed the filter.
 */
export function isCountless(filter: Filter | null): boolean {
  return mentions(filter, OF_FACTS);
}
