import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { oneOf, text, whole } from '../parameters.ts';
import { addQuestion } from '../question.ts';
import { FILTER_KEYS } from '../statistics.ts';

export const FilterOptionsQuery = Type.Object(
  {
    filter_type: oneOf(FILTER_KEYS),
    query: Type.Optional(text('part of the value')),
    limit: Type.Optional(whole(1, 1000)),
  },
  { additionalProperties: false },
);

/** What filters can be set to; the original lists all there are where no limit is given, here up to 1,000. */
export function filterOptionsRoute(app: FastifyInstance, deps: HttpDeps): void {
  addQuestion(app, {
    path: '/filter-options',
    scope: 'read',
    query: FilterOptionsQuery,
    answer: async (query) => {
      await deps.flusher.flushNow();
      const options = { filterType: query.filter_type, query: query.query ?? '', limit: query.limit ?? 1000 };
      return success(await deps.statistics.filterOptions(options));
    },
  });
}
