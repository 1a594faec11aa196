import { columnOf, DESCRIPTIVE_FIELDS, type DescriptiveName } from '../../domain/connection.ts';
import type { DimensionName } from '../../domain/dimensions.ts';

/** A descriptive field of a record as text. Rows of the original's may hold NULL where ours hold ''. */
export function textOf(name: DescriptiveName): string {
  const field = DESCRIPTIVE_FIELDS.find((candidate) => candidate.name === name);
  return `ifnull(c.${field === undefined ? name : columnOf(field)}, '')`;
}

/** The agent of rows that the original stored without one; the import gives them the same name. */
export const NO_AGENT = 'unknown';

/** Dimensions that follow from a field, by functions of the domain (`sql-functions.ts`). */
const COMPUTED = {
  site: `site_of(${textOf('host')})`,
  destination_port: `port_of(${textOf('destination_port')})`,
  group: 'group_of(c.chains)',
  node: 'node_of(c.chains)',
  route: 'route_of(c.chains)',
  country: 'country_of(c.destination_geoip)',
  asn: `trimmed(${textOf('destination_ip_asn')})`,
} as const;

/**
 * What each dimension is on a record `c`: SQL of this program, with no place for anything else. Records and facts mean
 * the same by them.
 */
export const DIMENSION_VALUES: Readonly<Record<Exclude<DimensionName, 'agent'>, string>> = {
  ...COMPUTED,
  device: textOf('source_ip'),
  host: textOf('host'),
  destination_ip: textOf('destination_ip'),
  rule: textOf('rule'),
  payload: textOf('rule_payload'),
  chain: `iif(${textOf('chains')} = '', '[]', c.chains)`,
  provider: 'c.provider',
  process: textOf('process'),
  network: textOf('network'),
  conn_type: textOf('conn_type'),
  inbound_name: textOf('inbound_name'),
  inbound_user: textOf('inbound_user'),
};

const COMPUTED_VALUES: ReadonlySet<string> = new Set(Object.values(COMPUTED));

/** Whether a value stands in the row as it is, so that SQLite can look at it again and again for nothing. */
export function isStored(value: string): boolean {
  return !COMPUTED_VALUES.has(value);
}

/** `RULE (payload)`, or `RULE` where there is no payload. */
export const RULE_TEXT = `iif(${textOf('rule_payload')} <> '', ${textOf('rule')} || ' (' || c.rule_payload || ')', ${textOf('rule')})`;
