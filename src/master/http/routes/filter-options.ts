import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { GROUP_KEYS } from '../../query/group-keys.ts';
import { MAX_GROUPS } from '../../query/questions.ts';
import { FilterOptionsAnswer } from '../answers/filter-options.ts';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { oneOf, text, whole } from '../parameters.ts';
import { addQuestion } from '../question.ts';

export const FilterOptionsQuery = Type.Object(
  {
    filter_type: oneOf(GROUP_KEYS),
    query: Type.Optional(text('part of the value')),
    limit: Type.Optional(whole(1, MAX_GROUPS)),
  },
  { additionalProperties: false },
);

/** What filters can be set to; the original lists all there are where no limit is given, here up to 1,000. */
export function filterOptionsRoute(app: FastifyInstance, deps: HttpDeps): void {
  addQuestion(app, {
    path: '/filter-options',
    scope: 'read',
    summary: 'Values to filter by, those with most bytes first',
    query: FilterOptionsQuery,
    returns: FilterOptionsAnswer,
    errors: ['query_timeout'],
    answer: async (query, { signal }) => {
      const { filter_type: of, query: part = '', limit = MAX_GROUPS } = query;
      const rows = await deps.catalogue.filterOptions({ of, query: part, limit }, { signal });
      return success(rows.map(({ value, label, field }) => ({ value, label, field })));
    },
  });
}
