import { columnOf, DESCRIPTIVE_FIELDS, type DescriptiveName } from '../../domain/connection.ts';
import type { GroupKey } from '../query/group-keys.ts';

/**
 * The one place where filters of records become SQL, with the meaning that `query/filter.ts` gives them for facts:
 * exact, but for `destination`. User text is always bound; what stands here is all the SQL there is. `c` is the
 * `connections` table.
 */
interface RecordFilter {
  readonly sql: string;
  /** Values for the question marks of `sql`, in order. */
  readonly bind: (value: string) => readonly string[];
}

/** Rows of the original's may hold NULL where ours hold ''. */
function text(name: DescriptiveName): string {
  const field = DESCRIPTIVE_FIELDS.find((candidate) => candidate.name === name);
  return `ifnull(c.${field === undefined ? name : columnOf(field)}, '')`;
}

const once = (value: string): readonly string[] => [value];
const is = (expression: string): RecordFilter => ({ sql: `${expression} = ?`, bind: once });

const AGENT: RecordFilter = is('c.agent_id');
// The functions are those of the domain (`sql-functions.ts`), so records and facts mean the same by them.
const NODE: RecordFilter = is('node_of(c.chains)');
const COUNTRY = 'country_of(c.destination_geoip) = ?';
/** The host's name, or the address where there is none. */
const SHOWN_HOST = `iif(${text('host')} <> '', c.host, ${text('destination_ip')})`;
const RULE_TEXT = `iif(${text('rule_payload')} <> '', ${text('rule')} || ' (' || c.rule_payload || ')', ${text('rule')})`;

export const RECORD_FILTERS: Readonly<Record<GroupKey, RecordFilter>> = {
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
  network: is(text('network')),
  conn_type: is(text('conn_type')),
  inbound_name: is(text('inbound_name')),
  inbound_user: is(text('inbound_user')),
  country: { sql: COUNTRY, bind: once },
  asn: is(`trim(${text('destination_ip_asn')})`),
  agent_id: AGENT,
  // No LIKE: a user's `%` and `_` are plain characters, and a NUL would end its pattern.
  destination: {
    sql: `iif(? = '', ${text('destination_ip')} = '',
      instr(lower(${text('destination_ip')}), ?) > 0 OR instr(lower(${text('host')}), ?) > 0)`,
    bind: (value) => [value, value.toLowerCase(), value.toLowerCase()],
  },
  geoip: { sql: COUNTRY, bind: (value) => [value.toUpperCase()] },
  chains: NODE,
};
