import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { ErrorDetail } from '../../../common/errors.ts';
import { METRICS, SORT_KEYS, SORT_ORDERS } from '../../query/metrics.ts';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { checkInterval } from '../interval-check.ts';
import { instant, instantOf, interval, oneOf, text, timeZone, whole, zoneOf } from '../parameters.ts';
import { addQuestion } from '../question.ts';
import { FILTER_KEYS, GROUP_KEYS, type StatsQuestion } from '../statistics.ts';

const filters = Object.fromEntries(FILTER_KEYS.map((name) => [name, Type.Optional(text())])) as Record<
  string,
  TSchema
>;

/** Known parameters that a type does not use are accepted, for the original's clients send them with every type. */
export const StatsQuery = Type.Object(
  {
    ...filters,
    type: oneOf(['summary', 'group', 'timeseries']),
    group_by: Type.Optional(oneOf(GROUP_KEYS)),
    interval: Type.Optional(interval()),
    metric: Type.Optional(oneOf(METRICS)),
    from: Type.Optional(instant()),
    to: Type.Optional(instant()),
    tz: Type.Optional(timeZone()),
    limit: Type.Optional(whole(1, 1000)),
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
    query: StatsQuery,
    check: (query) => [...checkInterval(query), ...checkType(query)],
    answer: async (query) => {
      await deps.flusher.flushNow();
      const { data, meta } = await ask(query, deps);
      return success<unknown>(data, { meta });
    },
  });
}

function checkType(query: Partial<StatsQuery>): ErrorDetail[] {
  if (query.type !== 'group' || query.group_by !== undefined) return [];
  return [{ field: 'group_by', problem: 'is required for type=group' }];
}

function ask(query: StatsQuery, { statistics }: HttpDeps): Promise<{ data: unknown; meta: object }> {
  const common: StatsQuestion = {
    from: instantOf(query.from),
    to: instantOf(query.to),
    tz: zoneOf(query.tz),
    filters: filtersOf(query),
  };
  switch (query.type) {
    case 'summary':
      return statistics.summary(common);
    case 'group':
      return statistics.group({
        ...common,
        groupBy: query.group_by ?? '',
        sortBy: query.sort_by ?? 'count',
        order: query.sort_order ?? 'desc',
        limit: query.limit ?? 1000,
      });
    case 'timeseries':
      return statistics.series({
        ...common,
        interval: query.interval ?? 'day',
        metric: query.metric ?? 'connections',
      });
  }
}

function filtersOf(query: StatsQuery): Record<string, string> {
  const values = query as Readonly<Record<string, unknown>>;
  const found: Record<string, string> = {};
  for (const name of FILTER_KEYS) {
    const value = values[name];
    if (typeof value === 'string') found[name] = value;
  }
  return found;
}
