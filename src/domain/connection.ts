/**
 * What a core says of a connection, once and for good: everything but its counters.
 *
 * The names are those of the API and of the wire (`ConnectionRecord` of the original); a connection has
 * them from the moment it is listed and they never change afterwards.
 */
export interface ConnectionFields {
  /** Random UUID of the core; never repeats, not even across core runs. */
  id: string;
  /** When the outbound dial succeeded, epoch milliseconds by the core's clock; 0 when the core did not say. */
  start: number;
  network: string;
  conn_type: string;
  source_ip: string;
  destination_ip: string;
  /** JSON text: `null` never looked up, `[]` without result, else an array of lower-case codes. */
  source_geoip: string;
  destination_geoip: string;
  source_ip_asn: string;
  destination_ip_asn: string;
  source_port: string;
  destination_port: string;
  inbound_ip: string;
  inbound_port: string;
  inbound_name: string;
  inbound_user: string;
  host: string;
  dns_mode: string;
  uid: number;
  process: string;
  process_path: string;
  special_proxy: string;
  special_rules: string;
  remote_destination: string;
  dscp: number;
  sniff_host: string;
  /** JSON array text, policy group first, exit node last (the reverse of the core's order). */
  chains: string;
  rule: string;
  rule_payload: string;
  /** Provider of the exit node, `''` when it comes from the configuration itself. */
  provider: string;
}

/** Bytes, both directions; always non-negative integers below 2^53. */
export interface Bytes {
  download: number;
  upload: number;
}

export type FieldType = 'text' | 'integer';

interface FieldSpec {
  readonly name: keyof ConnectionFields;
  readonly type: FieldType;
  /** Column of the `connections` table, where it differs from the name. */
  readonly column?: string;
  /** Longest value kept, in UTF-16 units; longer ones are cut (`../../docs/limits.md`). */
  readonly max: number;
}

/**
 * The descriptive fields of a record in the order of the wire, from which the SQLite columns, the rows of the
 * sync protocol and the records of the API derive. `id` and `start` travel beside them.
 */
export const DESCRIPTIVE_FIELDS = [
  { name: 'network', type: 'text', max: 16 },
  { name: 'conn_type', type: 'text', column: 'type', max: 128 },
  { name: 'source_ip', type: 'text', max: 64 },
  { name: 'destination_ip', type: 'text', max: 64 },
  { name: 'source_geoip', type: 'text', max: 256 },
  { name: 'destination_geoip', type: 'text', max: 256 },
  { name: 'source_ip_asn', type: 'text', max: 256 },
  { name: 'destination_ip_asn', type: 'text', max: 256 },
  { name: 'source_port', type: 'text', max: 8 },
  { name: 'destination_port', type: 'text', max: 8 },
  { name: 'inbound_ip', type: 'text', max: 64 },
  { name: 'inbound_port', type: 'text', max: 8 },
  { name: 'inbound_name', type: 'text', max: 256 },
  { name: 'inbound_user', type: 'text', max: 256 },
  { name: 'host', type: 'text', max: 253 },
  { name: 'dns_mode', type: 'text', max: 16 },
  { name: 'uid', type: 'integer', max: 0 },
  { name: 'process', type: 'text', max: 256 },
  { name: 'process_path', type: 'text', max: 1024 },
  { name: 'special_proxy', type: 'text', max: 256 },
  { name: 'special_rules', type: 'text', max: 256 },
  { name: 'remote_destination', type: 'text', max: 256 },
  { name: 'dscp', type: 'integer', max: 0 },
  { name: 'sniff_host', type: 'text', max: 253 },
  { name: 'chains', type: 'text', max: 4096 },
  { name: 'rule', type: 'text', max: 64 },
  { name: 'rule_payload', type: 'text', max: 1024 },
  { name: 'provider', type: 'text', max: 256 },
] as const satisfies readonly FieldSpec[];

export type DescriptiveName = (typeof DESCRIPTIVE_FIELDS)[number]['name'];

/** Column of a descriptive field in the `connections` table (the original's names). */
export function columnOf(field: FieldSpec): string {
  return field.column ?? field.name;
}

/** Columns of the original's `connections` table, in its order: journal and records keep them for a user's own SQL. */
export const ORIGINAL_COLUMNS: readonly string[] = [
  'id TEXT',
  'conn_download INTEGER',
  'conn_upload INTEGER',
  'last_updated TEXT',
  'start TEXT',
  ...DESCRIPTIVE_FIELDS.filter((field) => field.name !== 'provider').map(
    (field) => `${columnOf(field)} ${field.type === 'integer' ? 'INTEGER' : 'TEXT'}`,
  ),
  'agent_id TEXT',
];

/** Field values where the core said nothing. */
export function emptyFields(id: string): ConnectionFields {
  const fields: Record<string, string | number> = { id, start: 0 };
  for (const field of DESCRIPTIVE_FIELDS) fields[field.name] = field.type === 'integer' ? 0 : '';
  fields.chains = '[]';
  fields.source_geoip = 'null';
  fields.destination_geoip = 'null';
  return fields as unknown as ConnectionFields;
}

/**
 * Whether the bytes of a connection are part of the core's totals. A dialer-proxy hop and DNS over a proxy are
 * listed but not in them (`type` is `Inner` and there is no process): overlay, for they repeat bytes of a
 * counted connection. Source: call sites of `pushToManager` in Mihomo's statistic/tracker.go.
 */
export function isCounted(fields: Pick<ConnectionFields, 'conn_type' | 'process'>): boolean {
  return !(fields.conn_type === 'Inner' && fields.process === '');
}
