import { type Static, Type } from '@sinclair/typebox';
import type { ErrorDetail } from '../../common/errors.ts';
import type { ExportQuestion } from '../export/export-service.ts';
import { readFilter } from '../query/filter-text.ts';
import { TIER_NAMES } from '../store/store.ts';
import { boundsOf, checkRange, RANGE_PARAMETERS } from './asked-range.ts';
import { type ConnectionsSelection, selectionOf } from './connections-selection.ts';
import type { HttpDeps } from './deps.ts';
import { oneOf, text, zoneOf } from './parameters.ts';

/** What facts are exported by. */
export const FACTS_EXPORT = {
  ...RANGE_PARAMETERS,
  filter: Type.Optional(text('a filter expression')),
  tier: Type.Optional(
    oneOf(TIER_NAMES, 'default: minutes where all of the interval still has them, else half hours'),
  ),
};
const FactsExport = Type.Object(FACTS_EXPORT);
type FactsExport = Static<typeof FactsExport>;

export async function checkFactsExport(
  asked: Partial<FactsExport>,
  filters: HttpDeps['filters'],
): Promise<ErrorDetail[]> {
  return [...checkRange(asked), ...(await filters.read(asked.filter, 'facts')).problems];
}

/** Of parts that passed their checks; `now` in epoch ms. */
export function factsQuestion(asked: FactsExport, now: number): ExportQuestion {
  const { filter } = readFilter(asked.filter, { of: 'facts' });
  return {
    what: 'facts',
    facts: { ...boundsOf(asked, now), tz: zoneOf(asked.tz), filter, tier: asked.tier },
  };
}

/** Of parts that passed their checks; `now` in epoch ms. */
export function connectionsQuestion(asked: ConnectionsSelection, now: number): ExportQuestion {
  return { what: 'connections', connections: selectionOf(asked, now) };
}
