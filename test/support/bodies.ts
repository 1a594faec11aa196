import { DESCRIPTIVE_FIELDS } from '../../src/domain/connection.ts';
import type { SyncRequest } from '../../src/protocol/v2.ts';

let made = 0;

/** A name that no other call gave: tokens of streams, boots and batches, ids of connections. */
export function unique(what: string): string {
  made++;
  return `${what}-${String(made).padStart(8, '0')}`;
}

/** A record of the original's wire; what is left out is as the original's agent sends it. */
export function v1Record(id: string, download: number, more: Record<string, unknown> = {}) {
  const record: Record<string, unknown> = {};
  for (const field of DESCRIPTIVE_FIELDS) record[field.name] = field.type === 'integer' ? 0 : '';
  delete record.provider;
  return {
    ...record,
    id,
    download,
    upload: 0,
    last_updated: '2026-07-01T12:00:30.123456789+00:00',
    start: '2026-07-01T11:59:00+00:00',
    network: 'tcp',
    conn_type: 'HTTPS',
    source_ip: '192.168.1.2',
    destination_ip: '203.0.113.7',
    source_geoip: 'null',
    destination_geoip: '["us"]',
    host: 'www.example.com',
    chains: '["Proxy","HK"]',
    rule: 'Match',
    ...more,
  };
}

export function v1Body(agentId: string, connections: unknown[]) {
  return { agent_id: agentId, connections, timestamp: '2026-07-01T12:00:31+00:00' };
}

/** A request of protocol 2 that a master takes: the first of a new stream, unless `more` says otherwise. */
export function v2Body(agentId: string, more: Partial<Record<keyof SyncRequest, unknown>> = {}) {
  return {
    v: 2,
    agent_id: agentId,
    stream: unique('stream'),
    boot: unique('boot'),
    batch: unique('batch'),
    prev: null,
    inflight: [],
    sent_at: Date.now(),
    core: { version: 'v1.19', state: 'connected', last_snapshot: Date.now() },
    strings: [],
    runs: [],
    gaps: [],
    connections: [],
    samples: [],
    totals: [],
    closed: [],
    lost: [],
    agent: {
      version: 'test',
      backlog: 0,
      interval: 60,
      sample_interval: 1000,
      quarantined: 0,
      journal_bytes: 0,
      journal_budget: 0,
    },
    ...more,
  };
}

/**
 * A connection row whose id is string `id`; texts are string `text` (`''` by convention of the caller), times 0 and
 * base 0.
 */
export function connectionRow(
  id: number,
  text: number,
  more: { start?: number; base?: [number, number]; counted?: 0 | 1; fields?: Record<string, number> } = {},
): number[] {
  const [down, up] = more.base ?? [0, 0];
  return [
    id,
    more.start ?? 0,
    down,
    up,
    more.counted ?? 1,
    ...DESCRIPTIVE_FIELDS.map((field) => more.fields?.[field.name] ?? (field.type === 'integer' ? 0 : text)),
  ];
}
