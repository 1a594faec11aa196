import { topField } from '../../master/http/field-path.ts';
import type { QueryBody } from '../../master/http/query-body.ts';
import type { OptionName } from '../config/options.ts';
import type { ValuesOf } from '../config/values.ts';
import { localZone, periodOf } from './bounds.ts';

/** Words instead of two bounds, where nothing is said: most questions are about today. */
const RANGE_OF_TOP = '24h';

type Common = Pick<
  ValuesOf<'top'>,
  'by' | 'limit' | 'range' | 'from' | 'to' | 'tz' | 'filter' | 'agent' | 'compare' | 'interval'
>;

/** What `POST /query` is to be asked for `top`. */
export function topBody(values: ValuesOf<'top'>): QueryBody {
  const { metric, range, from, to } = values;
  const open = range === undefined && from === undefined && to === undefined;
  const body = { ...commonBody(values), metrics: [metric] };
  return open ? { ...body, range: RANGE_OF_TOP } : body;
}

/** What `POST /query` is to be asked for `query` without a body of its own. */
export function queryBody(values: ValuesOf<'query'>): QueryBody {
  const { metrics, topBy, topMode, overlay } = values;
  return {
    ...commonBody(values),
    ...(metrics.length > 0 && { metrics: metrics as NonNullable<QueryBody['metrics']> }),
    ...(topBy !== undefined && { top_by: topBy }),
    ...(topMode !== undefined && { top_mode: topMode }),
    ...(overlay && { overlay }),
  };
}

function commonBody(values: Common): QueryBody {
  const { by, limit, range, from, to, tz, filter, agent, compare, interval } = values;
  const period = compare === undefined ? null : (periodOf(compare) ?? ('previous' as const));
  return {
    group_by: by as NonNullable<QueryBody['group_by']>,
    top: limit,
    tz: tz ?? localZone(),
    ...(range !== undefined && { range }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(filter !== undefined && { filter }),
    ...(agent.length > 0 && { agents: [...agent] }),
    ...(period !== null && { compare: period }),
    ...(interval !== undefined && { interval }),
  };
}

const OPTION_OF: Readonly<Record<string, OptionName>> = {
  group_by: 'by',
  top: 'limit',
  top_by: 'top-by',
  top_mode: 'top-mode',
  agents: 'agent',
};

/** The same for `top`, which has one metric. */
export function optionOfTop(field: string): string {
  return topField(field) === 'metrics' ? '--metric' : optionOf(field);
}

/** The option that sets a field of a body: `group_by[0]` is `--by`. */
export function optionOf(field: string): string {
  const top = topField(field);
  return `--${OPTION_OF[top] ?? top}`;
}
