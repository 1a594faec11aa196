import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { ErrorDetail } from '../../../common/errors.ts';
import { SORT_ORDERS } from '../../query/metrics.ts';
import type { Bounds } from '../../query/range-words.ts';
import {
  CONNECTION_SORT_KEYS,
  DEFAULT_CONNECTIONS_LIMIT,
  MAX_CONNECTIONS_LIMIT,
  type ConnectionsQuery as Query,
} from '../../records/query.ts';
import { ConnectionsAnswer } from '../answers/connections.ts';
import { boundsOf, checkRange, RANGE_PARAMETERS } from '../asked-range.ts';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { FILTER_PARAMETERS, filtersOf } from '../filter-parameters.ts';
import { oneOf, text, whole } from '../parameters.ts';
import { addQuestion } from '../question.ts';

/** Skipping reads what it skips; whoever wants to go further continues by cursor. */
const MAX_OFFSET = 1_000_000;

export const ConnectionsQuery = Type.Object(
  {
    ...FILTER_PARAMETERS,
    ...RANGE_PARAMETERS,
    sort_by: Type.Optional(oneOf(CONNECTION_SORT_KEYS)),
    sort_order: Type.Optional(oneOf(SORT_ORDERS)),
    limit: Type.Optional(whole(1, MAX_CONNECTIONS_LIMIT)),
    offset: Type.Optional(whole(0, MAX_OFFSET)),
    cursor: Type.Optional(text('`meta.next_cursor` of the page before')),
  },
  { additionalProperties: false },
);
type ConnectionsQuery = Static<typeof ConnectionsQuery>;

export function connectionsRoute(app: FastifyInstance, deps: HttpDeps): void {
  addQuestion(app, {
    path: '/connections',
    scope: 'read',
    summary: 'Records of connections',
    query: ConnectionsQuery,
    returns: ConnectionsAnswer,
    errors: ['query_timeout'],
    check: (query) => [...checkRange(query), ...checkCursor(query)],
    answer: async (query) => {
      const page = await deps.records.connections(toQuery(query, boundsOf(query, (deps.now ?? Date.now)())));
      return success(page.records, {
        total_count: page.total,
        meta: { count_capped: page.capped, next_cursor: page.nextCursor },
      });
    },
  });
}

function checkCursor(query: Partial<ConnectionsQuery>): ErrorDetail[] {
  if (query.cursor === undefined || query.offset === undefined) return [];
  return [{ field: 'offset', problem: 'cannot be combined with "cursor", which says where to go on' }];
}

function toQuery(query: ConnectionsQuery, { from, to }: Bounds): Query {
  return {
    filters: filtersOf(query),
    from: from ?? null,
    to: to ?? null,
    sortBy: query.sort_by ?? 'last_updated',
    order: query.sort_order ?? 'desc',
    limit: query.limit ?? DEFAULT_CONNECTIONS_LIMIT,
    offset: query.offset ?? 0,
    cursor: query.cursor ?? null,
  };
}
