import { formatTime } from '../../domain/time.ts';
import { plus } from '../query/sums.ts';
import type { AgentRow } from '../records/query.ts';

/** An agent that has synced within so many of its intervals is online; with short ones, within the least time. */
const INTERVALS = 3;
const LEAST_MS = 90_000;
/** The original's agents announce no interval. */
const V1_MS = 180_000;

export function isOnline(agent: AgentRow, now: number): boolean {
  const allowed = agent.protocol === 1 ? V1_MS : Math.max(LEAST_MS, INTERVALS * agent.syncIntervalS * 1000);
  return now - agent.lastContact <= allowed;
}

export interface AgentTotals {
  download: number;
  upload: number;
}

/**
 * A row of `/agents`, in the spellings of the original's document and of its program, and what we add. Bytes;
 * times RFC 3339 in UTC or null; `sync_interval` seconds, `sample_interval` milliseconds.
 */
export function agentView(agent: AgentRow, totals: AgentTotals, now: number) {
  const lastContact = timeOrNull(agent.lastContact);
  return {
    agent_id: agent.agentId,
    id: agent.agentId,
    last_sync: lastContact,
    last_active: lastContact,
    connection_count: agent.records,
    connections_count: agent.records,
    total_download: totals.download,
    total_upload: totals.upload,
    total_traffic: plus(totals.download, totals.upload),
    status: isOnline(agent, now) ? 'online' : 'offline',
    version: agent.version,
    protocol: agent.protocol,
    core: { version: agent.coreVersion, state: agent.coreState },
    last_snapshot: timeOrNull(agent.lastSnapshot),
    clock_offset_ms: agent.clockOffsetMs,
    backlog: { rows: agent.backlog },
    sync_interval: agent.syncIntervalS,
    sample_interval: agent.sampleIntervalMs,
    booked_to: timeOrNull(agent.bookedTo),
    quarantined: agent.quarantined,
    journal: { bytes: agent.journalBytes, budget: agent.journalBudget },
    lost: agent.lost,
    conflict:
      agent.conflict === null
        ? null
        : {
            since: formatTime(agent.conflict.since),
            at: formatTime(agent.conflict.at),
            reason: agent.conflict.what,
          },
  };
}

function timeOrNull(at: number): string | null {
  return at === 0 ? null : formatTime(at);
}
