import { type Sqlite, safeSum } from '../../common/sqlite.ts';
import { MINUTE_MS } from '../../domain/bucket.ts';
import type { AgentRow } from './query.ts';

interface Stored {
  agent_id: string;
  first_seen: number;
  last_contact: number;
  protocol: number;
  version: string;
  core_version: string;
  core_state: string;
  last_snapshot: number;
  clock_offset_ms: number;
  backlog: number;
  interval_s: number;
  sample_interval_ms: number;
  booked_to: number;
  quarantined: number;
  journal_bytes: number;
  journal_budget: number;
  records: number;
  measured: number;
  conflict_at: number | null;
  conflict_since: number | null;
  conflict: string | null;
  lost_connections: number;
  lost_down: number;
  lost_up: number;
}

/** One row each, with what it lost; the number of records is kept by the ingest, so nothing is counted here. */
const AGENTS = `
SELECT a.*, ifnull(l.connections, 0) AS lost_connections, ifnull(l.down, 0) AS lost_down, ifnull(l.up, 0) AS lost_up
FROM agents a LEFT JOIN (
  SELECT s.agent_id, ${safeSum('lost.connections')} AS connections, ${safeSum('lost.down')} AS down,
    ${safeSum('lost.up')} AS up
  FROM lost JOIN streams s ON s.num = lost.stream WHERE @agent IS NULL OR s.agent_id = @agent GROUP BY s.agent_id
) l ON l.agent_id = a.agent_id
WHERE @agent IS NULL OR a.agent_id = @agent
ORDER BY a.agent_id`;

export function listAgents(db: Sqlite, agentId: string | null): AgentRow[] {
  return (db.prepare(AGENTS).all({ agent: agentId }) as Stored[]).map((row) => ({
    agentId: row.agent_id,
    firstSeen: row.first_seen,
    lastContact: row.last_contact,
    protocol: row.protocol,
    version: row.version,
    coreVersion: row.core_version,
    coreState: row.core_state,
    lastSnapshot: row.last_snapshot,
    clockOffsetMs: row.clock_offset_ms,
    backlog: row.backlog,
    syncIntervalS: row.interval_s,
    sampleIntervalMs: row.sample_interval_ms,
    bookedTo: row.booked_to * MINUTE_MS,
    quarantined: row.quarantined,
    journalBytes: row.journal_bytes,
    journalBudget: row.journal_budget,
    records: row.records,
    measured: row.measured !== 0,
    conflict:
      row.conflict_at === null
        ? null
        : { since: row.conflict_since ?? row.conflict_at, at: row.conflict_at, what: row.conflict ?? '' },
    lost: { connections: row.lost_connections, download: row.lost_down, upload: row.lost_up },
  }));
}
