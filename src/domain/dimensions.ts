import type { ConnectionFields } from './connection.ts';

/**
 * The dimension table: everything that traffic can be grouped and filtered by. DDL, the columns of a fact, the
 * API's schemas, filters and pickers derive from it. A dimension over a column that facts have is one line here; one over a
 * new column also names the column, its field, and how a record tells it, each of which the types ask for, and a migration.
 */

/** What operators a dimension has and how its values are compared (`docs/http-api.md`, filters). */
export type DimensionType = 'text' | 'host' | 'address' | 'number' | 'closed';

/** Dictionaries of the fact store: wide values stand there once, facts hold their id. */
export type Dictionary = 'host' | 'ip' | 'rule' | 'chain';

/** The fields of a connection that facts are grouped by; the others stay with the records. */
export const FACT_FIELDS = [
  'source_ip',
  'host',
  'destination_ip',
  'destination_port',
  'rule',
  'rule_payload',
  'chains',
  'provider',
  'process',
  'network',
  'conn_type',
  'inbound_name',
  'inbound_user',
  'destination_geoip',
  'destination_ip_asn',
] as const satisfies readonly (keyof ConnectionFields)[];

export type FactFields = Pick<ConnectionFields, (typeof FACT_FIELDS)[number]>;

/** What a fact is read from: the connection, and the agent that reported it. */
export interface FactSubject {
  agent: string;
  fields: FactFields;
}

export interface Dimension {
  readonly name: string;
  readonly label: string;
  readonly type: DimensionType;
  /** Column of the fact tables that holds it, or holds the id of its dictionary entry. */
  readonly column: FactColumnName;
  /** Column of the dictionary entry, where the fact holds an id. */
  readonly entry?: string;
  /** So many distinct values that the top N is found before the rest is computed. */
  readonly wide?: true;
}

/** A column of a fact, in the order in which facts travel from the records to the fact store. */
export interface FactColumn {
  readonly name: string;
  readonly sql: 'VARCHAR' | 'USMALLINT';
  readonly dictionary?: Dictionary;
  /** The values, one for each source column of the dictionary, or one for a plain column. */
  read(subject: FactSubject): readonly string[] | string | number;
}

/** First code, upper case; '' where the core did not look it up or found nothing. */
export function countryOf(geoip: string): string {
  if (geoip === '' || geoip === 'null' || geoip === '[]') return '';
  try {
    const value: unknown = JSON.parse(geoip);
    const code = Array.isArray(value) ? value[0] : value;
    return typeof code === 'string' ? code.trim().toUpperCase() : '';
  } catch {
    return /^[A-Za-z-]{2,16}$/.test(geoip) ? geoip.toUpperCase() : '';
  }
}

/** 0 where there is none, or none that can be. */
export function portOf(text: string): number {
  const port = Number(text);
  return Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : 0;
}

export const FACT_COLUMNS = [
  { name: 'agent', sql: 'VARCHAR', read: (s) => s.agent },
  { name: 'device', sql: 'VARCHAR', dictionary: 'ip', read: (s) => [s.fields.source_ip] },
  { name: 'host', sql: 'VARCHAR', dictionary: 'host', read: (s) => [s.fields.host] },
  { name: 'destination_ip', sql: 'VARCHAR', dictionary: 'ip', read: (s) => [s.fields.destination_ip] },
  { name: 'destination_port', sql: 'USMALLINT', read: (s) => portOf(s.fields.destination_port) },
  {
    name: 'rule',
    sql: 'VARCHAR',
    dictionary: 'rule',
    read: (s) => [s.fields.rule, s.fields.rule_payload],
  },
  {
    name: 'chain',
    sql: 'VARCHAR',
    dictionary: 'chain',
    // A chain that the core left out and an empty one are the same chain.
    read: (s) => [s.fields.chains === '' ? '[]' : s.fields.chains, s.fields.provider],
  },
  { name: 'process', sql: 'VARCHAR', read: (s) => s.fields.process },
  { name: 'network', sql: 'VARCHAR', read: (s) => s.fields.network },
  { name: 'conn_type', sql: 'VARCHAR', read: (s) => s.fields.conn_type },
  { name: 'inbound_name', sql: 'VARCHAR', read: (s) => s.fields.inbound_name },
  { name: 'inbound_user', sql: 'VARCHAR', read: (s) => s.fields.inbound_user },
  { name: 'country', sql: 'VARCHAR', read: (s) => countryOf(s.fields.destination_geoip) },
  { name: 'asn', sql: 'VARCHAR', read: (s) => s.fields.destination_ip_asn.trim() },
] as const satisfies readonly FactColumn[];

export type FactColumnName = (typeof FACT_COLUMNS)[number]['name'];

/** The columns of each dictionary that facts are joined on; the others derive from them. */
export const DICTIONARY_KEYS = {
  host: ['host'],
  ip: ['ip'],
  rule: ['type', 'payload'],
  chain: ['chains', 'provider'],
} as const satisfies Record<Dictionary, readonly string[]>;

/** The entry that says nothing, by dictionary: it has id 0 in every store, and facts without fields refer to it. */
export const EMPTY_ENTRIES = {
  host: [''],
  ip: [''],
  rule: ['', ''],
  chain: ['[]', ''],
} as const satisfies Record<Dictionary, readonly string[]>;

export const DIMENSIONS = [
  { name: 'agent', label: 'Agent', type: 'closed', column: 'agent' },
  { name: 'device', label: 'Device', type: 'address', column: 'device', entry: 'ip' },
  { name: 'site', label: 'Site', type: 'host', column: 'host', entry: 'site', wide: true },
  { name: 'host', label: 'Host', type: 'host', column: 'host', entry: 'host', wide: true },
  {
    name: 'destination_ip',
    label: 'Destination address',
    type: 'address',
    column: 'destination_ip',
    entry: 'ip',
    wide: true,
  },
  { name: 'destination_port', label: 'Destination port', type: 'number', column: 'destination_port' },
  { name: 'rule', label: 'Rule', type: 'text', column: 'rule', entry: 'type' },
  { name: 'payload', label: 'Rule payload', type: 'text', column: 'rule', entry: 'payload' },
  { name: 'group', label: 'Group', type: 'text', column: 'chain', entry: 'group' },
  { name: 'node', label: 'Node', type: 'text', column: 'chain', entry: 'node' },
  { name: 'chain', label: 'Chain', type: 'text', column: 'chain', entry: 'chains' },
  { name: 'provider', label: 'Provider', type: 'text', column: 'chain', entry: 'provider' },
  { name: 'route', label: 'Route', type: 'closed', column: 'chain', entry: 'route' },
  { name: 'process', label: 'Process', type: 'text', column: 'process' },
  { name: 'network', label: 'Network', type: 'closed', column: 'network' },
  { name: 'conn_type', label: 'Inbound type', type: 'closed', column: 'conn_type' },
  { name: 'inbound_name', label: 'Inbound', type: 'text', column: 'inbound_name' },
  { name: 'inbound_user', label: 'Inbound user', type: 'text', column: 'inbound_user' },
  { name: 'country', label: 'Country', type: 'text', column: 'country' },
  { name: 'asn', label: 'ASN', type: 'text', column: 'asn' },
] as const satisfies readonly Dimension[];

export type DimensionName = (typeof DIMENSIONS)[number]['name'];

/** What tells the facts of one connection apart, beside its dimensions: asked of facts, known of no connection. */
export const FACT_DIMENSIONS = [
  { name: 'recovered', label: 'Recovered', type: 'closed' },
  /** 0 is the hour after Monday 00:00 in the zone of the question. */
  { name: 'hour_of_week', label: 'Hour of the week', type: 'number' },
] as const satisfies readonly Pick<Dimension, 'name' | 'label' | 'type'>[];

/** Everything that facts can be grouped by. */
export type QueryDimension = DimensionName | (typeof FACT_DIMENSIONS)[number]['name'];

export const QUERY_DIMENSIONS: readonly QueryDimension[] = [...DIMENSIONS, ...FACT_DIMENSIONS].map(
  ({ name }) => name,
);

/** The group of a chain: its first element; `''` for a chain of one (no group in between). */
export function groupOf(chains: readonly string[]): string {
  return chains.length > 1 ? (chains[0] ?? '') : '';
}

/** The exit node of a chain: its last element. */
export function nodeOf(chains: readonly string[]): string {
  return chains.at(-1) ?? '';
}

export type Route = 'direct' | 'proxied' | 'reject';

/** What became of a connection; follows from its exit node (names built into Mihomo). */
export function routeOf(node: string): Route {
  const name = node.toUpperCase();
  if (name === 'REJECT' || name === 'REJECT-DROP' || name === 'PASS-RULE') return 'reject';
  if (name === '' || name === 'DIRECT' || name === 'COMPATIBLE' || name === 'PASS') return 'direct';
  return 'proxied';
}

/** The elements of a `chains` text, policy group first; `[]` when it is no JSON array of strings. */
export function parseChains(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
  } catch {
    return [];
  }
}
