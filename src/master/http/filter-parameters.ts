import { type TObject, type TOptional, type TString, Type } from '@sinclair/typebox';
import { DIMENSIONS } from '../../domain/dimensions.ts';
import type { Filters } from '../query/filter.ts';
import { GROUP_KEYS, type GroupKey } from '../query/group-keys.ts';
import { oneOf, port, text } from './parameters.ts';

function parameterOf(key: GroupKey) {
  const dimension = DIMENSIONS.find(({ name }) => name === key);
  if (dimension?.values !== undefined) return oneOf(dimension.values);
  if (dimension?.type === 'number') return port();
  return text(key === 'destination' ? 'part of the destination address or of the host' : undefined);
}

type FilterParameters = Record<GroupKey, TOptional<TString>>;

/** One parameter for each filter, the same on `/stats` and `/connections`. */
export const FILTER_PARAMETERS = Object.fromEntries(
  GROUP_KEYS.map((key) => [key, Type.Optional(parameterOf(key))]),
) as unknown as TObject<FilterParameters>['properties'];

/** The filters among the parameters of a query. */
export function filtersOf(query: Readonly<Record<string, unknown>>): Filters {
  const found: Partial<Record<GroupKey, string>> = {};
  for (const key of GROUP_KEYS) {
    const value = query[key];
    if (typeof value === 'string') found[key] = value;
  }
  return found;
}
