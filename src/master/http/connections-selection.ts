import { type Static, Type } from '@sinclair/typebox';
import type { ErrorDetail } from '../../common/errors.ts';
import { readFilter } from '../query/filter-text.ts';
import { CONNECTION_STATES, type SelectedConnections } from '../records/query.ts';
import { boundsOf, checkRange, RANGE_PARAMETERS } from './asked-range.ts';
import type { HttpDeps } from './deps.ts';
import { FILTER_PARAMETERS, filtersOf } from './filter-parameters.ts';
import { oneOf, text, zoneOf } from './parameters.ts';

/** Which records: what lists and exports of them are asked by alike. */
export const CONNECTIONS_SELECTION = {
  ...FILTER_PARAMETERS,
  filter: Type.Optional(text('a filter expression, beside the parameters')),
  state: Type.Optional(oneOf(CONNECTION_STATES)),
  counted: Type.Optional(oneOf(['true', 'false'], 'in the totals of the core; false: overlay')),
  ...RANGE_PARAMETERS,
};
const Selection = Type.Object(CONNECTIONS_SELECTION);
export type ConnectionsSelection = Static<typeof Selection>;

/** What is wrong with a selection whose parts are right by themselves. */
export async function checkSelection(
  asked: Partial<ConnectionsSelection>,
  filters: HttpDeps['filters'],
): Promise<ErrorDetail[]> {
  return [...checkRange(asked), ...(await filters.read(asked.filter, 'connections')).problems];
}

/** Of a selection that passed its checks; `now` in epoch ms. */
export function selectionOf(asked: ConnectionsSelection, now: number): SelectedConnections {
  const { from, to } = boundsOf(asked, now);
  return {
    filters: filtersOf(asked),
    filter: readFilter(asked.filter, { of: 'connections' }).filter,
    state: asked.state ?? null,
    counted: asked.counted === undefined ? null : asked.counted === 'true',
    zone: zoneOf(asked.tz),
    now,
    from: from ?? null,
    to: to ?? null,
  };
}
