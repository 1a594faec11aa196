/**
 * What a core knows of a connection besides its bytes: the metadata and the decision, flat, under the names of
 * Mihomo's API. Fixed when the connection opens. Other dialects show a part of it in another shape (`dialect.ts`).
 */
export interface CoreFields {
  network: string;
  type: string;
  sourceIP: string;
  destinationIP: string;
  /** `null` never looked up, `[]` looked up without result. */
  sourceGeoIP: readonly string[] | null;
  destinationGeoIP: readonly string[] | null;
  sourceIPASN: string;
  destinationIPASN: string;
  sourcePort: string;
  destinationPort: string;
  inboundIP: string;
  inboundPort: string;
  inboundName: string;
  inboundUser: string;
  rematchName: string;
  host: string;
  dnsMode: string;
  uid: number;
  process: string;
  processPath: string;
  specialProxy: string;
  specialRules: string;
  remoteDestination: string;
  dscp: number;
  sniffHost: string;
  /** RFC 3339 by the core's clock and zone. */
  start: string;
  /** Exit node first, policy group last. */
  chains: readonly string[];
  /** Parallel to `chains`: provider of that element, `''` for groups and nodes of the configuration. */
  providerChains: readonly string[];
  rule: string;
  rulePayload: string;
}

/** A plain direct TCP connection that says as little as a core ever says. */
export const EMPTY_FIELDS: CoreFields = {
  network: 'tcp',
  type: 'HTTPS',
  sourceIP: '127.0.0.1',
  destinationIP: '',
  sourceGeoIP: null,
  destinationGeoIP: null,
  sourceIPASN: '',
  destinationIPASN: '',
  sourcePort: '50000',
  destinationPort: '443',
  inboundIP: '127.0.0.1',
  inboundPort: '7890',
  inboundName: 'DEFAULT-MIXED',
  inboundUser: '',
  rematchName: '',
  host: '',
  dnsMode: 'normal',
  uid: 0,
  process: '',
  processPath: '',
  specialProxy: '',
  specialRules: '',
  remoteDestination: '',
  dscp: 0,
  sniffHost: '',
  start: '',
  chains: ['DIRECT'],
  providerChains: [''],
  rule: 'Match',
  rulePayload: '',
};

/**
 * Whether a core adds the bytes to its totals. Mihomo does not for dialer-proxy hops and DNS over a proxy,
 * which are `Inner` without a process and repeat bytes of other connections.
 */
export function entersTotals(fields: Pick<CoreFields, 'type' | 'process'>): boolean {
  return fields.type !== 'Inner' || fields.process !== '';
}
