import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { ErrorDetail } from '../../../common/errors.ts';
import type { Filter } from '../../../domain/filter/tree.ts';
import type { Answer } from '../../query/answers.ts';
import { COUNTLESS_PROBLEM, isCountless } from '../../query/countless.ts';
import { readFilter } from '../../query/filter-text.ts';
import { GROUP_KEYS } from '../../query/group-keys.ts';
import { METRICS, SORT_KEYS, SORT_ORDERS } from '../../query/metrics.ts';
import { MAX_GROUPS } from '../../query/questions.ts';
import type { ReadOptions } from '../../store/store.ts';
import { StatsAnswer } from '../answers/stats.ts';
import { boundsOf, checkRange, RANGE_PARAMETERS } from '../asked-range.ts';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { FILTER_PARAMETERS, filtersOf } from '../filter-parameters.ts';
import { interval, oneOf, text, whole, zoneOf } from '../parameters.ts';
import { addQuestion } from '../question.ts';

/** Known parameters that a type does not use are accepted, for the original's clients send them with every type. */
export const StatsQuery = Type.Object(
  {
    ...FILTER_PARAMETERS,
    type: oneOf(['summary', 'group', 'timeseries']),
    group_by: Type.Optional(oneOf(GROUP_KEYS)),
    interval: Type.Optional(interval()),
    metric: Type.Optional(oneOf(METRICS)),
    ...RANGE_PARAMETERS,
    filter: Type.Optional(text('a filter expression, beside the parameters')),
    limit: Type.Optional(whole(1, MAX_GROUPS)),
    sort_by: Type.Optional(oneOf(SORT_KEYS)),
    sort_order: Type.Optional(oneOf(SORT_ORDERS)),
  },
  { additionalProperties: false },
);
type StatsQuery = Static<typeof StatsQuery>;

export function statsRoute(app: FastifyInstance, deps: HttpDeps): void {
  addQuestion(app, {
    path: '/stats',
    scope: 'read',
    summary: 'Sums, groups or a series of the bytes that were booked',
    query: StatsQuery,
    returns: StatsAnswer,
    errors: ['filter_invalid', 'query_too_large', 'query_timeout'],
    check: async (query) => {
      const { filter, problems } = await deps.filters.read(query.filter, 'facts');
      return [...checkRange(query), ...checkType(query), ...checkSort(query, filter), ...problems];
    },
    answer: async (query, { signal }) => {
      const { data, meta } = await ask(query, deps, { signal });
      return success<unknown>(data, { meta });
    },
  });
}

function checkType(query: Partial<StatsQuery>): ErrorDetail[] {
  if (query.type !== 'group' || query.group_by !== undefined) return [];
  return [{ field: 'group_by', problem: 'is required for type=group' }];
}

/** Groups cannot be ranked by a count that is not known. */
function checkSort({ type, sort_by }: Partial<StatsQuery>, filter: Filter | null): ErrorDetail[] {
  if (type !== 'group' || sort_by !== 'count' || !isCountless(filter)) return [];
  return [{ field: 'sort_by', problem: `cannot be "count" ${COUNTLESS_PROBLEM}` }];
}

function ask(
  query: StatsQuery,
  { stats, now = Date.now }: HttpDeps,
  options: ReadOptions,
): Promise<Answer<unknown>> {
  const common = {
    ...boundsOf(query, now()),
    tz: zoneOf(query.tz),
    filters: filtersOf(query),
    filter: readFilter(query.filter, { of: 'facts' }).filter,
  };
  if (query.type === 'group' && query.group_by !== undefined) {
    const group = {
      ...common,
      groupBy: query.group_by,
      sortBy: query.sort_by ?? (isCountless(common.filter) ? 'total' : 'count'),
      sortOrder: query.sort_order ?? 'desc',
      limit: query.limit,
    } as const;
    return stats.group(group, options);
  }
  if (query.type === 'timeseries') {
    const series = {
      ...common,
      interval: query.interval ?? 'day',
      metric: query.metric ?? 'connections',
    } as const;
    return stats.timeseries(series, options);
  }
  return stats.summary(common, options);
}
