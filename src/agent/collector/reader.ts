import { isIP } from 'node:net';
import { type Bytes, type ConnectionFields, DESCRIPTIVE_FIELDS } from '../../domain/connection.ts';
import { readChains, readGeoip } from './lists.ts';
import { readStart } from './start-time.ts';
import { bounded, textOf, withoutBrackets } from './text.ts';

/** A connection record as read: what it is, and its cumulative counters in bytes. */
export interface RecordReading extends Bytes {
  fields: ConnectionFields;
}

/** Longest id, in UTF-16 units (Mihomo's UUIDs have 36); an id cannot be cut, for two could become one. */
const MAX_ID = 128;

const MAX_UINT32 = 0xffff_ffff;

/** Maximum length by field name. */
const LIMITS = Object.fromEntries(DESCRIPTIVE_FIELDS.map((field) => [field.name, field.max])) as Record<
  (typeof DESCRIPTIVE_FIELDS)[number]['name'],
  number
>;

type Json = Record<string, unknown>;

/**
 * Reads one element of `connections` from any core (Mihomo old and new, its forks, sing-box, clash-rs, Clash).
 * Undefined when it cannot be booked: no object, no id, or a counter that is no whole number in [0, 2^53).
 * Everything else is optional, unknown keys are ignored, texts are cut to the limits of DESCRIPTIVE_FIELDS.
 * Never throws.
 */
export function readRecord(value: unknown): RecordReading | undefined {
  const id = readId(value);
  const counters = readCounters(value);
  if (id === undefined || counters === undefined) return undefined;
  return { fields: readFields(id, value as Json), ...counters };
}

/** The id of a connection record, if it has a usable one. */
export function readId(value: unknown): string | undefined {
  const id = isObject(value) ? value.id : undefined;
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID) return undefined;
  return bounded(id, MAX_ID);
}

/** The counters of a connection record, if both are usable. */
export function readCounters(value: unknown): Bytes | undefined {
  if (!isObject(value)) return undefined;
  const download = readCounter(value.download);
  const upload = readCounter(value.upload);
  return download === undefined || upload === undefined ? undefined : { download, upload };
}

/** A counter: a number, or its decimal digits as a string; undefined when negative, fractional or from 2^53 on. */
export function readCounter(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  // Adding 0 turns -0, which JSON can express, into 0.
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number + 0 : undefined;
}

function readFields(id: string, record: Json): ConnectionFields {
  const about = isObject(record.metadata) ? record.metadata : {};
  const target = readTarget(about);
  const chain = Array.isArray(record.providerChains) ? record.providerChains : [];
  const take = (key: string, name: keyof typeof LIMITS) => bounded(textOf(about[key]), LIMITS[name]);
  return {
    id,
    start: readStart(record.start),
    // clash-rs writes `Tcp`; elsewhere it is lower case already.
    network: bounded(textOf(about.network).toLowerCase(), LIMITS.network),
    conn_type: take('type', 'conn_type'),
    source_ip: take('sourceIP', 'source_ip'),
    destination_ip: bounded(target.address, LIMITS.destination_ip),
    source_geoip: readGeoip(about.sourceGeoIP, LIMITS.source_geoip),
    destination_geoip: readGeoip(about.destinationGeoIP ?? about.country, LIMITS.destination_geoip),
    source_ip_asn: take('sourceIPASN', 'source_ip_asn'),
    destination_ip_asn: bounded(target.asn, LIMITS.destination_ip_asn),
    source_port: take('sourcePort', 'source_port'),
    destination_port: take('destinationPort', 'destination_port'),
    inbound_ip: take('inboundIP', 'inbound_ip'),
    inbound_port: take('inboundPort', 'inbound_port'),
    inbound_name: take('inboundName', 'inbound_name'),
    inbound_user: take('inboundUser', 'inbound_user'),
    host: bounded(target.host, LIMITS.host),
    dns_mode: take('dnsMode', 'dns_mode'),
    uid: readSmall(about.uid),
    process: take('process', 'process'),
    process_path: take('processPath', 'process_path'),
    special_proxy: take('specialProxy', 'special_proxy'),
    special_rules: take('specialRules', 'special_rules'),
    remote_destination: take('remoteDestination', 'remote_destination'),
    dscp: readSmall(about.dscp),
    sniff_host: take('sniffHost', 'sniff_host'),
    chains: readChains(record.chains, LIMITS.chains),
    rule: bounded(textOf(record.rule), LIMITS.rule),
    rule_payload: bounded(textOf(record.rulePayload), LIMITS.rule_payload),
    provider: bounded(textOf(chain[0]), LIMITS.provider),
  };
}

/** clash-rs adds the network's owner: `1.2.3.4(13335 CLOUDFLARENET)`. */
const ADDRESS_WITH_OWNER = /^([0-9A-Fa-f.:]+(?:%[^()]*)?)\s*\((.*)\)$/s;

/**
 * Where it goes. A host that is an address belongs to the address (Mihomo moves it there itself, clash-rs writes it in both
 * places); one that differs from the address given is kept as it is.
 */
function readTarget(about: Json): { address: string; asn: string; host: string } {
  const raw = textOf(about.destinationIP);
  const owned = ADDRESS_WITH_OWNER.exec(raw);
  const address = owned?.[1] ?? raw;
  const asn = textOf(about.destinationIPASN) || textOf(about.asn) || (owned?.[2] ?? '');
  const host = textOf(about.host);
  const literal = withoutBrackets(host);
  if (isIP(literal) !== 0 && (address === '' || address === literal))
    return { address: literal, asn, host: '' };
  return { address, asn, host };
}

function readSmall(value: unknown): number {
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number > 0 && number <= MAX_UINT32
    ? number
    : 0;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
