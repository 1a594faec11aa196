import type { CoreFields } from './core-fields.ts';
import { goJson } from './go-json.ts';

/**
 * Whose API the core speaks: today's Mihomo; one of before December 2025 (`old`); a fork that adds keys; and two
 * other cores behind the same paths.
 */
export type Dialect = 'mihomo' | 'old' | 'sing-box' | 'clash-rs' | 'fork';

/** The answer to `/version`, by which the cores can be told apart. */
export const VERSIONS: Record<Dialect, Record<string, unknown>> = {
  mihomo: { meta: true, version: 'v1.19.31' },
  old: { meta: true, version: 'v1.19.2' },
  fork: { meta: true, version: 'alpha-smart-8a7c1d2' },
  'sing-box': { meta: true, premium: true, version: 'sing-box 1.14.2' },
  'clash-rs': { meta: false, version: '0.10.8' },
};

/** One connection record, counters included, as the dialect shows it. */
export type CoreRecord = { id: string; upload: number; download: number } & Record<string, unknown>;

type Shape = (id: string, fields: CoreFields) => CoreRecord;

/** Keys stand in the order in which each core sends them. The counters are zeros here. */
const SHAPES: Record<Dialect, Shape> = {
  mihomo: (id, fields) => record(id, metadata(fields, { rematchName: true }), fields, true),
  old: (id, fields) => record(id, metadata(fields, { rematchName: false }), fields, false),
  fork: (id, fields) => ({
    ...record(
      id,
      { id, ...metadata(fields, { rematchName: true }), smartBlock: '', smartTarget: '' },
      fields,
      true,
    ),
    maxUploadRate: 0,
    maxDownloadRate: 0,
  }),
  'sing-box': (id, fields) => ({
    chains: fields.chains,
    download: 0,
    id,
    metadata: {
      destinationIP: fields.destinationIP,
      destinationPort: fields.destinationPort,
      dnsMode: 'normal',
      host: fields.host,
      network: fields.network,
      processPath: fields.processPath === '' ? '' : `${fields.processPath} (user)`,
      sourceIP: fields.sourceIP,
      sourcePort: fields.sourcePort,
      type: singBoxInbound(fields.type),
    },
    rule: singBoxRule(fields),
    rulePayload: '',
    start: fields.start,
    upload: 0,
  }),
  'clash-rs': (id, fields) => ({
    id,
    metadata: {
      network: fields.network === 'udp' ? 'Udp' : 'Tcp',
      type: CLASH_RS_TYPES[fields.type] ?? fields.type,
      sourceIP: fields.sourceIP,
      sourcePort: Number(fields.sourcePort),
      destinationIP:
        fields.destinationIPASN === ''
          ? fields.destinationIP
          : `${fields.destinationIP}(${fields.destinationIPASN})`,
      destinationPort: Number(fields.destinationPort),
      host: fields.host || fields.destinationIP,
      asn: fields.destinationIPASN === '' ? null : fields.destinationIPASN,
      country: fields.destinationGeoIP?.[0]?.toUpperCase() ?? null,
      traffic_stats: null,
      ...(fields.inboundUser === '' ? {} : { inboundUser: fields.inboundUser }),
    },
    upload: 0,
    download: 0,
    start: fields.start,
    chains: fields.chains,
    rule: fields.rule,
    rulePayload: fields.rulePayload,
  }),
};

/** Written out: taking it apart and together again costs ten times as much, and every record passes here. */
function metadata(fields: CoreFields, has: { rematchName: boolean }): Record<string, unknown> {
  return {
    network: fields.network,
    type: fields.type,
    sourceIP: fields.sourceIP,
    destinationIP: fields.destinationIP,
    sourceGeoIP: fields.sourceGeoIP,
    destinationGeoIP: fields.destinationGeoIP,
    sourceIPASN: fields.sourceIPASN,
    destinationIPASN: fields.destinationIPASN,
    sourcePort: fields.sourcePort,
    destinationPort: fields.destinationPort,
    inboundIP: fields.inboundIP,
    inboundPort: fields.inboundPort,
    inboundName: fields.inboundName,
    inboundUser: fields.inboundUser,
    ...(has.rematchName ? { rematchName: fields.rematchName } : NOTHING),
    host: fields.host,
    dnsMode: fields.dnsMode,
    uid: fields.uid,
    process: fields.process,
    processPath: fields.processPath,
    specialProxy: fields.specialProxy,
    specialRules: fields.specialRules,
    remoteDestination: fields.remoteDestination,
    dscp: fields.dscp,
    sniffHost: fields.sniffHost,
  };
}

const NOTHING = {};

function record(
  id: string,
  shown: Record<string, unknown>,
  fields: CoreFields,
  providers: boolean,
): CoreRecord {
  const { start, chains, providerChains, rule, rulePayload } = fields;
  return providers
    ? { id, metadata: shown, upload: 0, download: 0, start, chains, providerChains, rule, rulePayload }
    : { id, metadata: shown, upload: 0, download: 0, start, chains, rule, rulePayload };
}

function singBoxInbound(type: string): string {
  if (type === 'Tun') return 'tun/tun-in';
  return type === 'TProxy' || type === 'Redir'
    ? `${type.toLowerCase()}/${type.toLowerCase()}-in`
    : 'mixed/mixed-in';
}

function singBoxRule(fields: CoreFields): string {
  const target = fields.chains[0] === 'DIRECT' ? 'direct' : (fields.chains.at(-1) ?? '');
  switch (fields.rule) {
    case '':
    case 'Match':
      return 'final';
    case 'RuleSet':
      return `rule_set=${fields.rulePayload} => route(${target})`;
    case 'DomainSuffix':
      return `domain_suffix=${fields.rulePayload} => route(${target})`;
    default:
      return `${fields.rule.toLowerCase()}=${fields.rulePayload} => route(${target})`;
  }
}

const CLASH_RS_TYPES: Record<string, string> = {
  HTTP: 'Http',
  HTTPS: 'HttpConnect',
  TProxy: 'Tproxy',
  ShadowSocks: 'Shadowsocks',
  AnyTLS: 'Anytls',
};

/** Mihomo sends `null` for an empty table, the other cores `[]`. */
export function emptyTable(dialect: Dialect): null | [] {
  return dialect === 'sing-box' || dialect === 'clash-rs' ? [] : null;
}

/** sing-box builds its messages from maps, so its keys come in alphabetical order. */
export function alphabetical(dialect: Dialect): boolean {
  return dialect === 'sing-box';
}

/** clash-rs writes UTC whatever the zone of its host. */
export function alwaysUtc(dialect: Dialect): boolean {
  return dialect === 'clash-rs';
}

export function toRecord(dialect: Dialect, id: string, fields: CoreFields): CoreRecord {
  return SHAPES[dialect](id, fields);
}

/** The text of a record around its two counters, UTF-8 with one character a byte. */
export interface RecordText {
  head: string;
  middle: string;
  tail: string;
  /** Which counter comes first. */
  uploadFirst: boolean;
}

export function recordText(dialect: Dialect, id: string, fields: CoreFields): RecordText {
  const text = Buffer.from(goJson(toRecord(dialect, id, fields))).toString('latin1');
  // Quotes inside values are escaped, so these can only be the keys.
  const upload = text.indexOf('"upload":0') + '"upload":'.length;
  const download = text.indexOf('"download":0') + '"download":'.length;
  const first = Math.min(upload, download);
  const second = Math.max(upload, download);
  return {
    head: text.slice(0, first),
    middle: text.slice(first + 1, second),
    tail: text.slice(second + 1),
    uploadFirst: first === upload,
  };
}
