import { CodedError, type ErrorDetail } from '../../common/errors.ts';
import type { FilterScope } from '../../domain/filter/check.ts';
import { parseFilter } from '../../domain/filter/parser.ts';
import type { Filter } from '../../domain/filter/tree.ts';

/** Null when nothing is filtered; meaningless when there are problems. */
export interface ReadFilter {
  readonly filter: Filter | null;
  /** Everything that is wrong, each with its place in the text. */
  readonly problems: readonly ErrorDetail[];
}

/** Reads the text of a filter. `field`: what a client calls it. */
export function readFilter(text: string | undefined, scope: FilterScope, field = 'filter'): ReadFilter {
  const parsed = parseFilter(text ?? '', scope);
  if (parsed.ok) return { filter: parsed.filter, problems: [] };
  const problems = parsed.errors.map(({ at, problem, hint }) => ({ field, at, problem, hint }));
  return { filter: null, problems };
}

/** What to answer to a question with these problems: `filter_invalid` where they are of filters alone. */
export function refusal(details: readonly ErrorDetail[]): CodedError {
  return details.every(({ at }) => at !== undefined)
    ? new CodedError('filter_invalid', 'the filter cannot be read', { details })
    : new CodedError('bad_request', 'the query cannot be answered', { details });
}
