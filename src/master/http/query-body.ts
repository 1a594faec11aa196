import { type Static, Type } from '@sinclair/typebox';
import type { ErrorDetail } from '../../common/errors.ts';
import { QUERY_DIMENSIONS } from '../../domain/dimensions.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import { rankingProblem } from '../query/countless.ts';
import { readFilter } from '../query/filter-text.ts';
import { METRICS, type Metric } from '../query/metrics.ts';
import { MAX_GROUPS } from '../query/questions.ts';
import { MAX_DIMENSIONS, TOP_MODES, type TrafficQuestion } from '../query/traffic-question.ts';
import { unknownAgents } from '../query/unknown-agents.ts';
import { boundsOf, checkRange, RANGE_PARAMETERS } from './asked-range.ts';
import type { HttpDeps } from './deps.ts';
import { interval, oneOf, text, whole, zoneOf } from './parameters.ts';

/** Agents that a question may name. */
const MAX_AGENTS = 1000;
const DEFAULT_METRICS = ['download', 'upload', 'total'] as const;
const DEFAULT_TOP = 10;

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** What `POST /query` takes; every part has a default. */
export const QUERY_PARTS = {
  ...RANGE_PARAMETERS,
  agents: Type.Optional(
    Type.Array(text(), { maxItems: MAX_AGENTS, uniqueItems: true, description: 'agent ids; empty for all' }),
  ),
  filter: Type.Optional(text('a filter expression')),
  overlay: Type.Optional(
    Type.Boolean({ description: 'overlay connections too, whose bytes repeat those of counted ones' }),
  ),
  group_by: Type.Optional(
    Type.Array(oneOf(QUERY_DIMENSIONS), { maxItems: MAX_DIMENSIONS, uniqueItems: true }),
  ),
  metrics: Type.Optional(Type.Array(oneOf(METRICS), { minItems: 1, uniqueItems: true })),
  interval: Type.Optional(orNull(Type.Union([Type.Literal('auto'), interval()]))),
  top: Type.Optional(whole(1, MAX_GROUPS)),
  top_by: Type.Optional(oneOf(METRICS)),
  top_mode: Type.Optional(oneOf(TOP_MODES)),
  series: Type.Optional(
    Type.Boolean({ description: 'a value for each point beside the totals; default: with "interval"' }),
  ),
  compare: Type.Optional(
    Type.Union([
      Type.Literal('previous'),
      Type.Object(
        { from: RANGE_PARAMETERS.from, to: RANGE_PARAMETERS.to },
        { additionalProperties: false, required: ['from', 'to'] },
      ),
      Type.Null(),
    ]),
  ),
};

export const QueryBody = Type.Object(QUERY_PARTS, { additionalProperties: false });
export type QueryBody = Static<typeof QueryBody>;

/** What no schema can say. */
export async function checkQuery(
  body: Partial<QueryBody>,
  { filters, records }: Pick<HttpDeps, 'filters' | 'records'>,
): Promise<ErrorDetail[]> {
  const details = [...checkRange(body), ...checkCompare(body)];
  const { agents = [] } = body;
  const unknown = agents.length === 0 ? null : unknownAgents(agents, await records.agents());
  if (unknown !== null) details.push({ field: 'agents', problem: unknown });
  if (body.series === true && body.interval === null)
    details.push({ field: 'series', problem: 'needs an "interval"; "auto" finds one' });
  if (body.series === false && typeof body.interval === 'string')
    details.push({ field: 'interval', problem: 'is for a series, and "series" is false' });
  const { filter, problems } = await filters.read(body.filter, 'facts');
  return [...details, ...problems, ...checkRanking(body, filter)];
}

/** Said of what was given: groups are ranked by the first metric where nothing else is asked for. */
function checkRanking(
  { metrics = [], top_by, group_by = [] }: Partial<QueryBody>,
  filter: Filter | null,
): ErrorDetail[] {
  const problem = rankingProblem(rankOf(metrics, top_by), { groupBy: group_by, filter });
  if (problem === null) return [];
  if (top_by !== undefined) return [{ field: 'top_by', problem: `cannot be "connections" ${problem}` }];
  return [
    { field: 'metrics', problem: `ranks the groups by "connections", which cannot be done ${problem}` },
  ];
}

function rankOf(metrics: readonly Metric[], topBy: Metric | undefined): Metric {
  return topBy ?? metrics[0] ?? DEFAULT_METRICS[0];
}

function checkCompare({ compare, tz }: Partial<QueryBody>): ErrorDetail[] {
  if (compare === undefined || compare === null || compare === 'previous') return [];
  return checkRange({ ...compare, ...(tz !== undefined && { tz }) }).map(({ problem, ...rest }) => ({
    ...rest,
    field: 'compare.to',
    problem,
  }));
}

/** The question of a body that passed its checks; `now` in epoch ms. */
export function questionOf(body: QueryBody, now: number): TrafficQuestion {
  const { agents = [], metrics = [...DEFAULT_METRICS], compare = null } = body;
  const tz = zoneOf(body.tz);
  const compared = compare === null || compare === 'previous' ? null : boundsOf({ ...compare, tz }, now);
  return {
    ...boundsOf(body, now),
    tz,
    agents: agents.length === 0 ? null : agents,
    filter: body.filter === undefined ? null : readFilter(body.filter, { of: 'facts' }).filter,
    overlay: body.overlay ?? false,
    groupBy: body.group_by ?? [],
    metrics,
    interval: body.interval ?? (body.series === true ? 'auto' : null),
    top: body.top ?? DEFAULT_TOP,
    topBy: rankOf(metrics, body.top_by),
    topMode: body.top_mode ?? 'combination',
    compare:
      compared === null
        ? (compare as 'previous' | null)
        : { from: compared.from ?? 0, to: compared.to ?? now },
  };
}
