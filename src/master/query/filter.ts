import { CodedError } from '../../common/errors.ts';
import { mentionsOnly } from '../../domain/filter/names.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import { expression } from './expression.ts';
import { dimensionOf, type GroupKey, isAlias, RULE_TEXT } from './group-keys.ts';
import type { WallClock } from './hour-of-week.ts';
import type { MinuteRange } from './range.ts';
import type { Source } from './source.ts';
import { listed, named, type Sql, sql } from './sql.ts';

export type FilterKey = GroupKey;

/** By key, the values of which one must match; all keys must. Matching is exact but for `destination`. */
export type Filters = Readonly<Partial<Record<FilterKey, string | readonly string[]>>>;

/** Entries of a filter with their values, without those that name none. */
export function entriesOf(filters: Filters): [FilterKey, readonly string[]][] {
  return Object.entries(filters)
    .map(([key, value]): [FilterKey, readonly string[]] => [key as FilterKey, [value ?? []].flat()])
    .filter(([, values]) => values.length > 0);
}

function namesAgentsOnly(filters: Filters): boolean {
  return entriesOf(filters).every(([key]) => key === 'agent' || key === 'agent_id');
}

/** Agents that the filter admits, null for all. */
export function agentsOf(filters: Filters): readonly string[] | null {
  const named = entriesOf(filters).filter(([key]) => key === 'agent' || key === 'agent_id');
  if (named.length === 0) return null;
  return named
    .map(([, values]) => values)
    .reduce((kept, values) => kept.filter((one) => values.includes(one)));
}

/** The facts that a question is about: those of an interval that pass its parameters and its filter expression. */
export interface Part {
  readonly source: Source;
  readonly clock: WallClock;
  readonly range: MinuteRange;
  readonly filters: Filters;
  readonly filter: Filter | null;
}

export function where({ range, filters, filter, clock }: Part): Sql {
  const tests = entriesOf(filters).map(([key, values]) => sql`(${predicate(key, values)})`);
  const passes = filter === null ? [] : [expression(filter, clock.hourOfWeek)];
  return listed([inRange(range), ...tests, ...passes], ' AND ');
}

/** Fields that bytes of no connection have, too. */
const OF_ALL_BYTES = ['agent', 'hour_of_week'];

/** Unattributed bytes belong to an agent and a minute alone, so they are no part of anything narrower. */
export function unattributedApplies({ filters, filter }: Pick<Part, 'filters' | 'filter'>): boolean {
  return namesAgentsOnly(filters) && mentionsOnly(filter, OF_ALL_BYTES);
}

/** The same for unattributed facts, of which only agent and time can be asked: what asks for more is left out. */
export function whereUnattributed({ range, filters, filter, clock }: Part): Sql {
  const agents = agentsOf(filters);
  const tests = agents === null ? [] : [agents.length === 0 ? sql`false` : sql`agent IN (${listed(agents)})`];
  const passes =
    filter === null || !mentionsOnly(filter, OF_ALL_BYTES) ? [] : [expression(filter, clock.hourOfWeek)];
  return listed([sql`kind = 2`, inRange(range), ...tests, ...passes], ' AND ');
}

function inRange(range: MinuteRange): Sql {
  return sql`bucket >= ${range.from} AND bucket < ${range.to}`;
}

function predicate(key: FilterKey, values: readonly string[]): Sql {
  switch (key) {
    case 'rule':
      return ruleIn(values);
    case 'host':
      return hostIn(values);
    case 'destination':
      return listed(values.map(destinationContains), ' OR ');
    case 'geoip':
      return dimensionIn(
        'country',
        values.map((value) => value.toUpperCase()),
      );
    case 'agent_id':
      return dimensionIn('agent', values);
    case 'chains':
      return dimensionIn('node', values);
    default:
      if (isAlias(key)) throw new Error(`there is no filter ${key satisfies never}`);
      return dimensionIn(key, values);
  }
}

/** `RULE` whatever its payload, `RULE (payload)`, `RULE ()` without one; nothing at all as ''. */
function ruleIn(values: readonly string[]): Sql {
  const list = listed(values);
  return sql`rule IN (SELECT id FROM rule WHERE (type <> '' AND type IN (${list})) OR ${RULE_TEXT} IN (${list})
    OR (payload = '' AND type || ' ()' IN (${list})))`;
}

/** What groups of `host` show: the host name, or the address of a connection without one. */
function hostIn(values: readonly string[]): Sql {
  const list = listed(values);
  return sql`host IN (SELECT id FROM host WHERE id <> 0 AND host IN (${list}))
    OR (host = 0 AND destination_ip IN (SELECT id FROM ip WHERE ip IN (${list})))`;
}

/** A part of the destination address or of the host, ignoring case; '' asks for connections without address. */
function destinationContains(value: string): Sql {
  if (value === '') return sql`destination_ip = 0`;
  const part = value.toLowerCase();
  return sql`destination_ip IN (SELECT id FROM ip WHERE contains(lower(ip), ${part}))
    OR host IN (SELECT id FROM host WHERE contains(lower(host), ${part}))`;
}

function dimensionIn(name: string, values: readonly string[]): Sql {
  const dimension = dimensionOf(name);
  const column = named(dimension.column);
  if (dimension.type === 'number')
    return sql`${column} IN (${listed(values.map((value) => numberOf(name, value)))})`;
  const { dictionary, entry } = dimension;
  if (dictionary === undefined || entry === undefined) return sql`${column} IN (${listed(values)})`;
  return sql`${column} IN (SELECT id FROM ${named(dictionary)} WHERE ${named(entry)} IN (${listed(values)}))`;
}

function numberOf(field: string, value: string): number {
  if (value === '') return 0;
  if (/^\d{1,5}$/.test(value)) return Number(value);
  const problem = `must be a whole number, not ${JSON.stringify(value)}`;
  throw new CodedError('bad_request', `${field} ${problem}`, { details: [{ field, problem }] });
}
