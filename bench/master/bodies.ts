import { gzipSync } from 'node:zlib';
import { DESCRIPTIVE_FIELDS } from '../../src/domain/connection.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/constants.ts';
import type { SyncRequest } from '../../src/protocol/v2.ts';

/** One body, and how many records or samples it holds. */
export interface Body {
  path: string;
  headers: Record<string, string>;
  bytes: Buffer;
  count: number;
}

const MINUTE_MS = 60_000;

/** A small linear congruential generator: the same bodies on every machine. */
function generator(start: number): (below: number) => number {
  let seed = start >>> 0;
  return (below) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof generator>;

function uuid(random: Random): string {
  const hex = (length: number) =>
    random(16 ** length)
      .toString(16)
      .padStart(length, '0');
  return `${hex(4)}${hex(4)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(6)}${hex(6)}`;
}

/** What a connection of a household looks like: few devices, thousands of hosts and addresses, tens of rules. */
function fieldsOf(random: Random): Record<string, string | number> {
  const host = random(5000);
  return {
    network: 'tcp',
    conn_type: 'Tun',
    source_ip: `192.168.1.${random(40)}`,
    destination_ip: random(2) === 0 ? '' : `104.16.${random(32)}.${random(256)}`,
    source_geoip: 'null',
    destination_geoip: random(2) === 0 ? '["us"]' : 'null',
    destination_ip_asn: random(3) === 0 ? '13335 CLOUDFLARENET' : '',
    source_port: String(1024 + random(60_000)),
    destination_port: '443',
    inbound_ip: '198.18.0.1',
    inbound_port: '7890',
    inbound_name: 'DEFAULT-TUN',
    host: `cdn${host % 7}.host-${host}.example.com`,
    dns_mode: 'fake-ip',
    remote_destination: '203.0.113.24',
    chains: JSON.stringify(['节点选择', '自动选择', `🇭🇰 香港 ${random(30)}`]),
    rule: 'RuleSet',
    rule_payload: `list-${random(40)}`,
    provider: 'airport-a',
  };
}

interface Connection {
  id: string;
  fields: Record<string, string | number>;
  download: number;
  upload: number;
}

/** Connections of one agent: each batch moves all it holds and replaces a share of them by new ones. */
class Household {
  readonly #random: Random;
  readonly connections: Connection[] = [];
  readonly #newShare: number;

  constructor(seed: number, size: number, newShare: number) {
    this.#random = generator(seed);
    this.#newShare = newShare;
    for (let i = 0; i < size; i++) this.connections.push(this.#make());
  }

  #make(): Connection {
    return { id: uuid(this.#random), fields: fieldsOf(this.#random), download: 0, upload: 0 };
  }

  /** The connection at a place, moved on; sometimes another one has come there. */
  next(place: number): Connection {
    const index = place % this.connections.length;
    if (this.#random(1000) < this.#newShare * 1000) this.connections[index] = this.#make();
    const connection = this.connections[index]!;
    connection.download += 1 + this.#random(100_000);
    connection.upload += 1 + this.#random(10_000);
    return connection;
  }
}

export interface Load {
  agent: number;
  batches: number;
  /** Records or samples of a batch. */
  rows: number;
  connections: number;
  /** Share of the rows that are of new connections. */
  newShare: number;
  /** Minute of the first batch. */
  minute: number;
}

/** The original's packages: a record for each connection that moved. */
export function v1Bodies(load: Load): Body[] {
  const household = new Household(load.agent + 1, load.connections, load.newShare);
  let place = 0;
  return Array.from({ length: load.batches }, (_, batch) => {
    const at = new Date((load.minute + batch) * MINUTE_MS).toISOString();
    const connections = Array.from({ length: load.rows }, () => {
      const { id, fields, download, upload } = household.next(place++);
      const record: Record<string, unknown> = { id, agent_id: `v1-${load.agent}`, download, upload };
      for (const { name, type } of DESCRIPTIVE_FIELDS) {
        // The original does not send the provider.
        if (name !== 'provider') record[name] = fields[name] ?? (type === 'integer' ? 0 : '');
      }
      return { ...record, start: at, last_updated: at };
    });
    const body = { agent_id: `v1-${load.agent}`, connections, timestamp: at };
    return {
      path: '/api/v1/sync',
      headers: { 'content-type': 'application/json' },
      bytes: Buffer.from(JSON.stringify(body)),
      count: load.rows,
    };
  });
}

/** Requests of an agent that delivers a backlog: samples in the order of minutes, new connections' rows with them. */
export function v2Bodies(load: Load): Body[] {
  const household = new Household(load.agent + 1001, load.connections, load.newShare);
  const introduced = new Set<string>();
  const stream = `stream-of-agent-${load.agent}`;
  let prev: string | null = null;
  let place = 0;
  const totals = { download: 0, upload: 0 };
  return Array.from({ length: load.batches }, (_, number) => {
    const strings: string[] = [];
    const indexes = new Map<string, number>();
    const index = (text: string) => {
      let known = indexes.get(text);
      if (known === undefined) {
        known = strings.push(text) - 1;
        indexes.set(text, known);
      }
      return known;
    };
    const samples: number[][] = [];
    const connections: number[][] = [];
    for (let i = 0; i < load.rows; i++, place++) {
      const minute = load.minute + Math.floor(place / load.connections);
      const connection = household.next(place);
      const { id, fields, download, upload } = connection;
      if (!introduced.has(id)) {
        introduced.add(id);
        const described = DESCRIPTIVE_FIELDS.map(({ name, type }) =>
          type === 'integer' ? Number(fields[name] ?? 0) : index(String(fields[name] ?? '')),
        );
        connections.push([index(id), minute * MINUTE_MS, 0, 0, 1, ...described]);
      }
      samples.push([index(id), minute, download, upload, 0, 0, 0]);
      totals.download += 50_000;
      totals.upload += 5000;
    }
    const minute = load.minute + Math.floor(place / load.connections);
    const batch = `batch-${load.agent}-${String(number).padStart(6, '0')}`;
    const request: SyncRequest = {
      v: PROTOCOL_VERSION,
      agent_id: `v2-${load.agent}`,
      stream,
      boot: `boot-of-agent-${load.agent}`,
      batch,
      prev,
      inflight: [],
      sent_at: Date.now(),
      core: { version: 'v1.19.0', state: 'connected', last_snapshot: Date.now() },
      strings,
      runs: [],
      gaps: [],
      connections,
      samples,
      totals: [[minute, totals.download, totals.upload]],
      closed: [],
      lost: [],
      agent: {
        version: 'bench',
        backlog: 100_000,
        interval: 60,
        sample_interval: 1000,
        quarantined: 0,
        journal_bytes: 1e8,
        journal_budget: 5e8,
      },
    };
    prev = batch;
    return {
      path: '/api/v2/sync',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      bytes: gzipSync(JSON.stringify(request), { level: 1 }),
      count: load.rows,
    };
  });
}
