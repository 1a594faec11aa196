import { columnOf, DESCRIPTIVE_FIELDS, type DescriptiveName } from '../../domain/connection.ts';
import type { DimensionName } from '../../domain/dimensions.ts';

/**
 * The one place where filters of records become SQL: the original's names, then every dimension. User text is
 * always bound; what stands here is all the SQL there is. `c` is the `connections` table.
 */
interface RecordFilter {
  readonly sql: string;
  /** Values for the question marks of `sql`, in order. */
  bind(value: string): readonly string[];
}

/** Rows of the original's may hold NULL where ours hold ''. */
function text(name: DescriptiveName): string {
  const field = DESCRIPTIVE_FIELDS.find((candidate) => candidate.name === name);
  return `ifnull(c.${field === undefined ? name : columnOf(field)}, '')`;
}

const once = (value: string): readonly string[] => [value];
const is = (expression: string): RecordFilter => ({ sql: `${expression} = ?`, bind: once });

/** `%` and `_` of a user are plain characters. */
export function likeContains(value: string): string {
  return `%${value.replace(/[\\%_]/g, '\\$&')}%`;
}

const AGENT: RecordFilter = is('c.agent_id');
// The functions are those of the domain (`sql-functions.ts`), so records and facts mean the same by them.
const NODE: RecordFilter = is('node_of(c.chains)');
const COUNTRY: RecordFilter = {
  sql: 'country_of(c.destination_geoip) = ?',
  bind: (value) => [value.trim().toUpperCase()],
};
/** The host's name, or the address where there is none. */
const SHOWN_HOST = `iif(${text('host')} <> '', c.host, ${text('destination_ip')})`;
const RULE_TEXT = `iif(${text('rule_payload')} <> '', ${text('rule')} || ' (' || c.rule_payload || ')', ${text('rule')})`;

/** Dimensions that the original's names do not cover already. */
const OF_DIMENSIONS = {
  agent: AGENT,
  device: is(text('source_ip')),
  site: is('site_of(c.host)'),
  host: is(SHOWN_HOST),
  destination_ip: is(text('destination_ip')),
  destination_port: { sql: 'CAST(c.destination_port AS INTEGER) = CAST(? AS INTEGER)', bind: once },
  // Both forms: `RULE` finds it with any payload, `RULE (payload)` with that one.
  rule: { sql: `(${text('rule')} = ? OR ${RULE_TEXT} = ?)`, bind: (value) => [value, value] },
  payload: is(text('rule_payload')),
  group: is('group_of(c.chains)'),
  node: NODE,
  chain: is(`iif(${text('chains')} = '', '[]', c.chains)`),
  provider: is('c.provider'),
  route: is('route_of(c.chains)'),
  process: is(text('process')),
  // The original's document writes TCP, cores write tcp.
  network: { sql: `lower(${text('network')}) = ?`, bind: (value) => [value.toLowerCase()] },
  conn_type: is(text('conn_type')),
  inbound_name: is(text('inbound_name')),
  inbound_user: is(text('inbound_user')),
  country: COUNTRY,
  asn: is(`trim(${text('destination_ip_asn')})`),
} as const satisfies Record<DimensionName, RecordFilter>;

const OF_ORIGINAL = {
  agent_id: AGENT,
  destination: {
    sql: `(${text('destination_ip')} LIKE ? ESCAPE '\\' OR ${text('host')} LIKE ? ESCAPE '\\')`,
    bind: (value: string) => [likeContains(value), likeContains(value)],
  },
  geoip: COUNTRY,
  chains: NODE,
} as const satisfies Record<string, RecordFilter>;

export const RECORD_FILTERS = { ...OF_ORIGINAL, ...OF_DIMENSIONS } as const satisfies Record<
  string,
  RecordFilter
>;
export type RecordFilterName = keyof typeof RECORD_FILTERS;
export const RECORD_FILTER_NAMES = Object.keys(RECORD_FILTERS) as RecordFilterName[];
