import { DIMENSIONS } from '../../domain/dimensions.ts';
import { lowered } from '../../domain/filter/lowered.ts';
import type { GroupKey } from '../query/group-keys.ts';
import { type Clause, joined } from './clause.ts';
import type { Columns } from './columns.ts';
import { DIMENSION_VALUES, functionOf, type RecordValue, whereValue } from './dimension-values.ts';

/**
 * The original's parameters as conditions on records, with the meaning that `query/filter.ts` gives them for facts:
 * exact, but for `destination`. User text is always bound; what stands here is all the SQL there is.
 */
type RecordFilter = (columns: Columns, value: string) => Clause;

const is =
  (of: RecordValue, read: (value: string) => string = (value) => value): RecordFilter =>
  (columns, value) =>
    whereValue(columns, of, (sql) => ({ sql: `${sql} = ?`, values: [read(value)] }));

const { host, destination_ip, rule, payload, country, node } = DIMENSION_VALUES;

const ofAgent: RecordFilter = (columns, value) => columns.ofAgents([value]);

/** The host's name, or the address where there is none. */
const isShown: RecordFilter = (columns, value) => {
  const nameless = joined([is(host)(columns, ''), is(destination_ip)(columns, value)], ' AND ');
  return value === '' ? nameless : joined([is(host)(columns, value), nameless], ' OR ');
};

/** Rules have short names; one that had more of these would be looked for row by row. */
const MOST_BORDERS = 32;

/** `RULE` finds it with any payload, `RULE (payload)` with that one, `RULE ()` without; '' what has neither. */
const isRule: RecordFilter = (columns, value) => {
  const named = is(rule)(columns, value);
  const both = (name: string, text: string) =>
    joined([is(rule)(columns, name), is(payload)(columns, text)], ' AND ');
  if (value === '') return both('', '');
  if (!value.endsWith(')')) return named;
  const borders = [...value.matchAll(/ \(/g)].map(({ index }) => index);
  if (borders.length > MOST_BORDERS) {
    const bare = value.endsWith(' ()') ? [both(value.slice(0, -3), '')] : [];
    return joined([named, { sql: `${columns.ruleText} = ?`, values: [value] }, ...bare], ' OR ');
  }
  return joined([named, ...borders.map((at) => both(value.slice(0, at), value.slice(at + 2, -1)))], ' OR ');
};

const isDestination: RecordFilter = (columns, value) => {
  if (value === '') return is(destination_ip)(columns, '');
  const has = (of: RecordValue) =>
    whereValue(columns, of, (sql) => ({ sql: `has_part(${sql}, ?)`, values: [lowered(value)] }));
  return joined([has(destination_ip), has(host)], ' OR ');
};

/** Numbers are asked for as texts, of which several may be the same number. */
const NUMBERS = DIMENSIONS.filter(({ type }) => type === 'number').map(
  ({ name }) => name as keyof typeof DIMENSION_VALUES,
);

const isNumber =
  (name: keyof typeof DIMENSION_VALUES): RecordFilter =>
  (columns, value) =>
    whereValue(columns, DIMENSION_VALUES[name], (sql) => ({
      sql: `${sql} = ${functionOf({ name })}(?)`,
      values: [value],
    }));

export const RECORD_FILTERS: Readonly<Record<GroupKey, RecordFilter>> = {
  ...(Object.fromEntries(
    Object.entries(DIMENSION_VALUES).map(([name, value]) => [name, is(value)]),
  ) as Record<keyof typeof DIMENSION_VALUES, RecordFilter>),
  ...Object.fromEntries(NUMBERS.map((name) => [name, isNumber(name)])),
  agent: ofAgent,
  agent_id: ofAgent,
  host: isShown,
  rule: isRule,
  destination: isDestination,
  geoip: is(country, (value) => value.toUpperCase()),
  chains: is(node),
};
