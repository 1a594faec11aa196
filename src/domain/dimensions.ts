import type { ConnectionFields, DescriptiveName } from './connection.ts';

/**
 * The dimension table: everything that traffic can be grouped and filtered by, a line each. What a fact is read from and
 * its columns (`fact-columns.ts`), the value of a record, the schemas of the API, filters, completion, exports and the
 * tables of the documents derive from it; a facts file gets the column of a new line when it is opened.
 */

/** What operators a dimension has and how its values are compared (`docs/filters.md`). */
export type DimensionType = 'text' | 'host' | 'address' | 'number' | 'closed';

/** Dictionaries of the fact store: wide values stand there once, facts hold their id. */
export type Dictionary = 'host' | 'ip' | 'rule' | 'chain';

/** The fields of a connection that are texts. */
type TextName = { [N in DescriptiveName]: ConnectionFields[N] extends string ? N : never }[DescriptiveName];

interface Line {
  readonly name: string;
  readonly label: string;
  readonly type: DimensionType;
  /** The field of a connection that it is read from; the agent is none. */
  readonly field?: TextName;
  /** What is made of the field's text, if it is not taken as it stands. Of no text it makes `''`, or 0. */
  readonly of?: (text: string) => string | number;
  /** What a field without text stands for. */
  readonly blank?: string;
  /** Column of the fact tables, where it has not the dimension's name. */
  readonly column?: string;
  /** How wide the numbers of a column are. */
  readonly sql?: 'USMALLINT';
  /** The column holds ids of this dictionary. */
  readonly dictionary?: Dictionary;
  /** Column of the dictionary's entry: one of its keys, or what `of` makes of one. */
  readonly entry?: string;
  /** So many distinct values that the top N is found before the rest is computed. */
  readonly wide?: true;
  /** All values of a closed set that never changes. */
  readonly values?: readonly string[];
  /** Listed connections show it, though one of their fields is the same. */
  readonly listed?: true;
  /** For the documents, where the label does not say it all. */
  readonly about?: string;
}

export type Route = 'direct' | 'proxied' | 'reject';

const ROUTES: readonly Route[] = ['direct', 'proxied', 'reject'];

/** `site` alone is computed by the master: the list of public suffixes is nothing that a browser should load. */
const TABLE = [
  { name: 'agent', label: 'Agent', type: 'closed' },
  {
    name: 'device',
    label: 'Device',
    type: 'address',
    field: 'source_ip',
    dictionary: 'ip',
    entry: 'ip',
    listed: true,
    about: 'source address',
  },
  {
    name: 'site',
    label: 'Site',
    type: 'host',
    field: 'host',
    column: 'host',
    dictionary: 'host',
    entry: 'site',
    wide: true,
    about: 'registrable domain of the host',
  },
  { name: 'host', label: 'Host', type: 'host', field: 'host', dictionary: 'host', entry: 'host', wide: true },
  {
    name: 'destination_ip',
    label: 'Destination address',
    type: 'address',
    field: 'destination_ip',
    dictionary: 'ip',
    entry: 'ip',
    wide: true,
  },
  {
    name: 'destination_port',
    label: 'Destination port',
    type: 'number',
    field: 'destination_port',
    sql: 'USMALLINT',
    of: portOf,
    about: '0 to 65535',
  },
  {
    name: 'rule',
    label: 'Rule',
    type: 'text',
    field: 'rule',
    dictionary: 'rule',
    entry: 'type',
    about: 'type of the rule',
  },
  {
    name: 'payload',
    label: 'Rule payload',
    type: 'text',
    field: 'rule_payload',
    column: 'rule',
    dictionary: 'rule',
    entry: 'payload',
  },
  {
    name: 'group',
    label: 'Group',
    type: 'text',
    field: 'chains',
    column: 'chain',
    dictionary: 'chain',
    entry: 'group',
    of: (text) => groupOf(chainsOf(text)),
    about: 'first policy group of the chain',
  },
  {
    name: 'node',
    label: 'Node',
    type: 'text',
    field: 'chains',
    column: 'chain',
    dictionary: 'chain',
    entry: 'node',
    of: (text) => nodeOf(chainsOf(text)),
    about: 'exit node',
  },
  {
    name: 'chain',
    label: 'Chain',
    type: 'text',
    field: 'chains',
    // A chain that the core left out and an empty one are the same chain.
    blank: '[]',
    dictionary: 'chain',
    entry: 'chains',
    about: 'the whole chain as JSON text',
  },
  {
    name: 'provider',
    label: 'Provider',
    type: 'text',
    field: 'provider',
    column: 'chain',
    dictionary: 'chain',
    entry: 'provider',
    about: 'provider of the exit node',
  },
  {
    name: 'route',
    label: 'Route',
    type: 'closed',
    field: 'chains',
    column: 'chain',
    dictionary: 'chain',
    entry: 'route',
    of: (text) => routeOf(nodeOf(chainsOf(text))),
    values: ROUTES,
    about: 'what became of it',
  },
  { name: 'process', label: 'Process', type: 'text', field: 'process' },
  { name: 'network', label: 'Network', type: 'closed', field: 'network' },
  { name: 'conn_type', label: 'Inbound type', type: 'closed', field: 'conn_type' },
  { name: 'inbound_name', label: 'Inbound', type: 'text', field: 'inbound_name' },
  { name: 'inbound_user', label: 'Inbound user', type: 'text', field: 'inbound_user' },
  {
    name: 'country',
    label: 'Country',
    type: 'text',
    field: 'destination_geoip',
    of: countryOf,
    about: 'first country code of the destination, upper case',
  },
  {
    name: 'asn',
    label: 'ASN',
    type: 'text',
    field: 'destination_ip_asn',
    of: (text) => text.trim(),
    about: 'network operator of the destination',
  },
] as const satisfies readonly Line[];

export type DimensionName = (typeof TABLE)[number]['name'];

/** The fields of a connection that facts are grouped by; the others stay with the records. */
export type FactField = Extract<(typeof TABLE)[number], { field: string }>['field'];

/** A line with what it leaves to be understood. */
export interface Dimension extends Omit<Line, 'field'> {
  readonly name: DimensionName;
  readonly field?: FactField;
  /** Column of the fact tables that holds it, or holds the id of its dictionary entry. */
  readonly column: string;
}

export const DIMENSIONS: readonly Dimension[] = TABLE.map((line) => ({ column: line.name, ...line }));

/** What tells the facts of one connection apart, beside its dimensions: asked of facts, known of no connection. */
export const FACT_DIMENSIONS = [
  {
    name: 'recovered',
    label: 'Recovered',
    type: 'closed',
    values: ['true', 'false'],
    about: 'whether the bytes were first seen after a gap',
  },
  {
    name: 'hour_of_week',
    label: 'Hour of the week',
    type: 'number',
    about: '0 is Monday 00:00 in `tz`',
  },
] as const satisfies readonly Pick<Line, 'name' | 'label' | 'type' | 'values' | 'about'>[];

/** Everything that facts can be grouped by. */
export type QueryDimension = DimensionName | (typeof FACT_DIMENSIONS)[number]['name'];

export const QUERY_DIMENSIONS: readonly QueryDimension[] = [...DIMENSIONS, ...FACT_DIMENSIONS].map(
  ({ name }) => name,
);

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

/** The group of a chain: its first element; `''` for a chain of one (no group in between). */
export function groupOf(chains: readonly string[]): string {
  return chains.length > 1 ? (chains[0] ?? '') : '';
}

/** The exit node of a chain: its last element. */
export function nodeOf(chains: readonly string[]): string {
  return chains.at(-1) ?? '';
}

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

let last: { text: string; chains: string[] } = { text: '', chains: [] };

/** The same, for one chain after the other: what follows from a chain is asked of it several times. */
function chainsOf(text: string): readonly string[] {
  if (last.text !== text) last = { text, chains: parseChains(text) };
  return last.chains;
}
