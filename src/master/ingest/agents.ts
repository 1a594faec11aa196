import { prepared, type Sqlite } from '../../common/sqlite.ts';
import { LATEST_MS } from '../../domain/time.ts';
import type { SyncRequest } from '../../protocol/v2.ts';

/** Two sources under one id within this time are a conflict: minutes and unattributed bytes are no promise then. */
const CONFLICT_MS = 10 * 60_000;

interface AgentRow {
  protocol: number;
  stream: string | null;
  boot: string | null;
  last_contact: number;
}

export interface Contact {
  agentId: string;
  protocol: 1 | 2;
  now: number;
  request: SyncRequest | null;
  /** Newest minute that was booked, 0 for none. */
  bookedTo: number;
}

/** What the master knows of each agent, as of its last contact. */
export class AgentTable {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  contact(contact: Contact): void {
    const { agentId, protocol, now, request } = contact;
    const known = prepared(
      this.#db,
      'SELECT protocol, stream, boot, last_contact FROM agents WHERE agent_id = ?',
    ).get(agentId) as AgentRow | undefined;
    if (known === undefined) {
      prepared(
        this.#db,
        'INSERT INTO agents (agent_id, first_seen, last_contact, protocol, measured) VALUES (?, ?, ?, ?, ?)',
      ).run(agentId, now, now, protocol, protocol === 2 ? 1 : 0);
    }
    const conflict = known === undefined ? null : conflictOf(known, contact);
    if (conflict !== null) {
      prepared(
        this.#db,
        'UPDATE agents SET conflict = ?, conflict_at = ?, measured = 0 WHERE agent_id = ?',
      ).run(conflict, now, agentId);
    }
    if (request === null) {
      prepared(
        this.#db,
        'UPDATE agents SET last_contact = ?, protocol = ?, booked_to = max(booked_to, ?) WHERE agent_id = ?',
      ).run(now, protocol, contact.bookedTo, agentId);
      return;
    }
    prepared(
      this.#db,
      `UPDATE agents SET last_contact = ?, protocol = 2, booked_to = max(booked_to, ?), version = ?, stream = ?, boot = ?,
           core_version = ?, core_state = ?, last_snapshot = ?, clock_offset_ms = ?, backlog = ?, interval_s = ?,
           sample_interval_ms = ?, quarantined = ?, journal_bytes = ?, journal_budget = ? WHERE agent_id = ?`,
    ).run(
      now,
      contact.bookedTo,
      request.agent.version,
      request.stream,
      request.boot,
      request.core.version,
      request.core.state,
      Math.min(request.core.last_snapshot, LATEST_MS),
      request.sent_at - now,
      request.agent.backlog,
      request.agent.interval,
      request.agent.sample_interval,
      request.agent.quarantined,
      request.agent.journal_bytes,
      request.agent.journal_budget,
      agentId,
    );
  }

  addRecords(created: Map<string, number>): void {
    const add = prepared(this.#db, 'UPDATE agents SET records = records + ? WHERE agent_id = ?');
    for (const [agentId, count] of created) add.run(count, agentId);
  }
}

function conflictOf(known: AgentRow, { protocol, request, now }: Contact): string | null {
  if (now - known.last_contact > CONFLICT_MS) return null;
  if (known.stream === null) return null;
  if (protocol === 1) return 'an agent of the original and one of this version use this id';
  if (request !== null && known.stream !== request.stream) return 'two journals use this id';
  return null;
}
