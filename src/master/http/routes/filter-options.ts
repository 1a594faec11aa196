import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { readFilter } from '../../query/filter-text.ts';
import { GROUP_KEYS } from '../../query/group-keys.ts';
import { MAX_GROUPS } from '../../query/questions.ts';
import { FilterOptionsAnswer } from '../answers/filter-options.ts';
import { boundsOf, checkRange, RANGE_PARAMETERS } from '../asked-range.ts';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { oneOf, text, whole, zoneOf } from '../parameters.ts';
import { addQuestion } from '../question.ts';

export const FilterOptionsQuery = Type.Object(
  {
    filter_type: oneOf(GROUP_KEYS),
    query: Type.Optional(text('part of the value')),
    ...RANGE_PARAMETERS,
    filter: Type.Optional(text('a filter expression; values and sums are of what passes it')),
    limit: Type.Optional(whole(1, MAX_GROUPS)),
  },
  { additionalProperties: false },
);

/** What filters can be set to, most bytes first; the original lists all there are where no limit is given, here up to 1,000. */
export function filterOptionsRoute(app: FastifyInstance, deps: HttpDeps): void {
  addQuestion(app, {
    path: '/filter-options',
    scope: 'read',
    summary: 'Values to filter by, those with most bytes first',
    query: FilterOptionsQuery,
    returns: FilterOptionsAnswer,
    errors: ['filter_invalid', 'query_timeout'],
    check: async (query) => [
      ...checkRange(query),
      ...(await deps.filters.read(query.filter, 'facts')).problems,
    ],
    answer: async (query, { signal }) => {
      const { filter_type: of, query: part = '', limit = MAX_GROUPS } = query;
      const bounds = boundsOf(query, (deps.now ?? Date.now)());
      const filter = readFilter(query.filter, { of: 'facts' }).filter;
      const tz = zoneOf(query.tz);
      const question = { of, query: part, limit, ...bounds, tz, filter };
      return success(await deps.catalogue.filterOptions(question, { signal }));
    },
  });
}
