import { DESCRIPTIVE_FIELDS } from '../connection.ts';
import { DIMENSIONS, type DimensionType, FACT_DIMENSIONS } from '../dimensions.ts';
import { nearestWord } from '../nearest.ts';

import type { Operator } from './tree.ts';

/** How the values of a field are written and compared; each type has its operators. */
export type FilterType =
  | 'text'
  | 'host'
  | 'address'
  | 'number'
  | 'closed'
  | 'bytes'
  | 'rate'
  | 'duration'
  | 'time';

/** What is filtered: booked traffic, kept connections, or those that are open this moment. */
export type FilterSubject = 'facts' | 'connections' | 'live';

/** Where fields are known that not everything has. */
export type Knowledge = 'connections' | 'live' | 'traffic';

export interface FilterField {
  readonly name: string;
  readonly type: FilterType;
  /** Known of these alone: of single connections, of those that are open, of booked traffic. */
  readonly only?: Knowledge;
  /** All values of a closed set that never changes. */
  readonly values?: readonly string[];
}

const ORDERED = ['<', '<=', '>', '>='] as const;
const TEXT = ['=', '!=', '~', '!~', '=~', 'in', 'not in', 'empty', 'not empty'] as const;

export const OPERATORS_OF: Readonly<Record<FilterType, readonly Operator[]>> = {
  text: TEXT,
  host: [...TEXT, 'under'],
  address: ['=', '!=', 'in', 'not in', 'under', 'empty', 'not empty'],
  number: ['=', '!=', 'in', 'not in', ...ORDERED],
  closed: ['=', '!=', 'in', 'not in'],
  bytes: ['=', '!=', ...ORDERED],
  // Nobody means one instant, or one length to the millisecond.
  rate: ORDERED,
  duration: ORDERED,
  time: ORDERED,
};

/** What a single connection has beside the dimensions. */
const CONNECTION_FIELDS: readonly FilterField[] = [
  { name: 'download', type: 'bytes', only: 'connections' },
  { name: 'upload', type: 'bytes', only: 'connections' },
  { name: 'rate', type: 'rate', only: 'live' },
  { name: 'age', type: 'duration', only: 'connections' },
  { name: 'start', type: 'time', only: 'connections' },
  { name: 'source_port', type: 'number', only: 'connections' },
  { name: 'sniff_host', type: 'host', only: 'connections' },
  { name: 'dns_mode', type: 'text', only: 'connections' },
  { name: 'uid', type: 'number', only: 'connections' },
  { name: 'dscp', type: 'number', only: 'connections' },
  { name: 'state', type: 'closed', values: ['open', 'closed'], only: 'connections' },
];

const QUERY_FIELDS: readonly FilterField[] = [...DIMENSIONS, ...FACT_DIMENSIONS].map(
  (dimension: Pick<FilterField, 'name' | 'values'> & { type: DimensionType }) => {
    const { name, type, values } = dimension;
    // A record has no hour of its own: its bytes moved in many.
    const ofTraffic = name === 'hour_of_week' && { only: 'traffic' as const };
    return { name, type, ...(values && { values }), ...ofTraffic };
  },
);

/** Everything that a filter can name: the dimension table first, in its order. What became a dimension is no more of connections alone. */
export const FILTER_FIELDS: readonly FilterField[] = [
  ...QUERY_FIELDS,
  ...CONNECTION_FIELDS.filter(({ name }) => !QUERY_FIELDS.some((field) => field.name === name)),
];

const FIELD_NAMES: readonly string[] = DESCRIPTIVE_FIELDS.map(({ name }) => name);

/** Fields of a connection that facts do not hold, so that nothing can be summed by them. */
export const RECORD_ONLY: readonly string[] = FILTER_FIELDS.filter(
  ({ name, only }) => only === 'connections' && FIELD_NAMES.includes(name),
).map(({ name }) => name);

const KNOWN_BY: Readonly<Record<FilterSubject, readonly Knowledge[]>> = {
  facts: ['traffic'],
  connections: ['connections'],
  live: ['connections', 'live'],
};

/** Why a field cannot be asked of a subject; undefined when it can. */
export function unknownOf(
  field: FilterField,
  subject: FilterSubject,
): { problem: string; hint: string } | undefined {
  if (field.only === undefined || KNOWN_BY[subject].includes(field.only)) return undefined;
  return {
    connections: {
      problem: `${field.name} is known of single connections only`,
      hint: 'filter by it in /connections',
    },
    live: {
      problem: `${field.name} is known of live connections only`,
      hint: 'use download, upload and age',
    },
    traffic: {
      problem: `${field.name} is known of traffic, not of whole connections`,
      hint: 'use start, or filter by it in /stats and /query',
    },
  }[field.only];
}

const BY_NAME = new Map(FILTER_FIELDS.map((field) => [field.name, field]));

/** Fields are found whatever their case. */
export function filterField(name: string): FilterField | undefined {
  return BY_NAME.get(name.toLowerCase());
}

/** Names of the same things in records and in the original's API. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  agent_id: 'agent',
  source_ip: 'device',
  destination: 'destination_ip',
  destination_geoip: 'country',
  geoip: 'country',
  destination_ip_asn: 'asn',
  chains: 'chain',
  rule_payload: 'payload',
};

/** The field that was most likely meant by a name that is none. */
export function nearestField(name: string): string | undefined {
  const other = name.toLowerCase();
  if (Object.hasOwn(OTHER_NAMES, other)) return OTHER_NAMES[other];
  return nearestWord(name, [...BY_NAME.keys()]);
}
