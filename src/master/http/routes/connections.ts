import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { CodedError, type ErrorDetail } from '../../../common/errors.ts';
import { parseChains } from '../../../domain/dimensions.ts';
import { SORT_ORDERS } from '../../query/metrics.ts';
import {
  CONNECTION_SORT_KEYS,
  DEFAULT_CONNECTIONS_LIMIT,
  MAX_CONNECTIONS_LIMIT,
  type ConnectionsQuery as Query,
} from '../../records/query.ts';
import { ConnectionAnswer, ConnectionsAnswer } from '../answers/connections.ts';
import { boundsOf } from '../asked-range.ts';
import { CONNECTIONS_SELECTION, checkSelection, selectionOf } from '../connections-selection.ts';
import { closed } from '../contract.ts';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { NoQuery, oneOf, text, whole } from '../parameters.ts';
import { addQuestion } from '../question.ts';

/** Skipping reads what it skips; whoever wants to go further continues by cursor. */
const MAX_OFFSET = 1_000_000;

export const ConnectionsQuery = Type.Object(
  {
    ...CONNECTIONS_SELECTION,
    sort_by: Type.Optional(oneOf(CONNECTION_SORT_KEYS)),
    sort_order: Type.Optional(oneOf(SORT_ORDERS)),
    limit: Type.Optional(whole(1, MAX_CONNECTIONS_LIMIT)),
    offset: Type.Optional(whole(0, MAX_OFFSET)),
    cursor: Type.Optional(text('`meta.next_cursor` of the page before')),
  },
  { additionalProperties: false },
);
type ConnectionsQuery = Static<typeof ConnectionsQuery>;

export function connectionsRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const { records, filters, bytes } = deps;
  const now = deps.now ?? Date.now;

  addQuestion(app, {
    path: '/connections',
    scope: 'read',
    summary: 'Records of connections',
    query: ConnectionsQuery,
    returns: ConnectionsAnswer,
    errors: ['filter_invalid', 'query_timeout'],
    check: async (query) => [...(await checkSelection(query, filters)), ...checkCursor(query)],
    answer: async (query, { signal }) => {
      const at = now();
      const bounds = boundsOf(query, at);
      const freshTo = await bytes.refresh();
      const page = await records.connections(toQuery(query, at));
      const known = page.records.flatMap(({ num }) => (num === null ? [] : [num]));
      const inRange = await bytes.inRange(known, bounds, { signal });
      const data = page.records.map(({ num, record }) => ({
        ...record,
        in_range: num === null ? null : (inRange.bytes.get(num) ?? null),
      }));
      return success(data, {
        total_count: page.total,
        meta: {
          range: { from: bounds.from ?? null, to: bounds.to ?? null },
          range_cut: inRange.cut,
          fresh_to: freshTo,
          count_capped: page.capped,
          next_cursor: page.nextCursor,
        },
      });
    },
  });

  addQuestion(app, {
    path: '/connections/:agent_id/:id',
    scope: 'read',
    summary: 'One connection, minute by minute',
    params: closed({ agent_id: text('agent id'), id: text('id of the connection') }),
    query: NoQuery,
    returns: ConnectionAnswer,
    errors: ['not_found', 'query_timeout'],
    answer: async (_query, { params: { agent_id, id }, signal }) => {
      const freshTo = await bytes.refresh();
      const found = await records.connection(agent_id, id);
      if (found === null) throw new CodedError('not_found', 'there is no connection of that id');
      const { num, record } = found;
      const { minutes, cut } =
        num === null ? { minutes: null, cut: null } : await bytes.minutes(num, { signal });
      const hops = parseChains(String(record.chains));
      return success({ ...record, minutes, hops }, { meta: { range_cut: cut, fresh_to: freshTo } });
    },
  });
}

function checkCursor(query: Partial<ConnectionsQuery>): ErrorDetail[] {
  if (query.cursor === undefined || query.offset === undefined) return [];
  return [{ field: 'offset', problem: 'cannot be combined with "cursor", which says where to go on' }];
}

function toQuery(query: ConnectionsQuery, now: number): Query {
  return {
    ...selectionOf(query, now),
    sortBy: query.sort_by ?? 'last_updated',
    order: query.sort_order ?? 'desc',
    limit: query.limit ?? DEFAULT_CONNECTIONS_LIMIT,
    offset: query.offset ?? 0,
    cursor: query.cursor ?? null,
  };
}
