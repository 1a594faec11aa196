import { CodedError } from '../../common/errors.ts';
import { prepared, type Sqlite } from '../../common/sqlite.ts';
import { isLocalAgentId } from '../../domain/agent-id.ts';
import { minuteOf } from '../../domain/bucket.ts';
import { LATEST_MS } from '../../domain/time.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import { boundMarks } from './marks.ts';

/** Agents of one master, those included that are long gone. Those of an imported database are never refused. */
const MAX_AGENTS = 10_000;
/** Sources that take turns under one id within this time are in conflict: minutes and unattributed are no promise then. */
const CONFLICT_MS = 10 * 60_000;
/** So long after its last sign, a conflict is over. */
const OVER_MS = 3_600_000;

interface AgentRow {
  protocol: number;
  stream: string | null;
  boot: string | null;
  last_contact: number;
  conflict_at: number | null;
}

export interface Contact {
  agentId: string;
  protocol: 1 | 2;
  now: number;
  request: SyncRequest | null;
  /** Newest minute that was booked, 0 for none. */
  bookedTo: number;
  /** This journal, or this process of it, was heard of before: only one that comes back is in conflict. */
  knownStream: boolean;
  knownBoot: boolean;
}

/** What the master knows of each agent, as of its last contact. */
export class AgentTable {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** Returns the conflict in words when it begins with this contact. */
  contact(contact: Contact): string | null {
    const { agentId, protocol, now, request } = contact;
    const known = prepared(
      this.#db,
      'SELECT protocol, stream, boot, last_contact, conflict_at FROM agents WHERE agent_id = ?',
    ).get(agentId) as AgentRow | undefined;
    if (request !== null) boundMarks(this.#db, agentId, request);
    if (known === undefined) {
      this.#refuseBeyondMost(agentId);
      prepared(
        this.#db,
        'INSERT INTO agents (agent_id, first_seen, last_contact, protocol, measured) VALUES (?, ?, ?, ?, ?)',
      ).run(agentId, now, now, protocol, request === null ? 0 : 1);
    }
    const conflict = known === undefined ? null : conflictOf(known, contact);
    if (conflict !== null) {
      prepared(
        this.#db,
        'UPDATE agents SET conflict = ?, conflict_at = ?, conflict_since = ifnull(conflict_since, ?) WHERE agent_id = ?',
      ).run(conflict, now, now, agentId);
    } else if (known?.conflict_at != null && now - known.conflict_at > OVER_MS) {
      prepared(
        this.#db,
        'UPDATE agents SET conflict = NULL, conflict_at = NULL, conflict_since = NULL WHERE agent_id = ?',
      ).run(agentId);
    }
    const begins = known?.conflict_at == null ? conflict : null;
    if (request === null) {
      prepared(
        this.#db,
        'UPDATE agents SET last_contact = ?, protocol = ?, booked_to = max(booked_to, ?) WHERE agent_id = ?',
      ).run(now, protocol, contact.bookedTo, agentId);
      return begins;
    }
    prepared(
      this.#db,
      `UPDATE agents SET last_contact = ?, protocol = 2, measured = 1, booked_to = max(booked_to, ?), version = ?, stream = ?, boot = ?,
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
    return begins;
  }

  /** Thrown out of the merge, so nothing of the batch is kept here, and all of it at the agent. */
  #refuseBeyondMost(agentId: string): void {
    if (isLocalAgentId(agentId)) return;
    const known = prepared(this.#db, 'SELECT count(*) FROM agents').pluck().get() as number;
    if (known < MAX_AGENTS) return;
    throw new CodedError('too_many_agents', `this master has ${known} agents and takes no further one`);
  }

  /** Rows of the original's wire that were refused; agents of v2 count their own. */
  addRefused(agentId: string, count: number): void {
    prepared(this.#db, 'UPDATE agents SET quarantined = quarantined + ? WHERE agent_id = ?').run(
      count,
      agentId,
    );
  }

  addRecords(created: Map<string, number>): void {
    const add = prepared(this.#db, 'UPDATE agents SET records = records + ? WHERE agent_id = ?');
    for (const [agentId, count] of created) add.run(count, agentId);
  }
}

/**
 * An agent is known from a record of its own that was imported, last seen at `at` (epoch ms), and has `records` more. All
 * that is known of it reaches to the newest of them, in whatever order they come; one with a journal says so itself.
 */
export function introduceAgent(db: Sqlite, agentId: string, at: number, records: number): void {
  prepared(
    db,
    `INSERT INTO agents (agent_id, first_seen, last_contact, protocol, records, booked_to) VALUES (?, ?, ?, 1, ?, ?)
     ON CONFLICT (agent_id) DO UPDATE SET records = records + excluded.records,
       last_contact = CASE WHEN stream IS NULL THEN max(last_contact, excluded.last_contact) ELSE last_contact END,
       booked_to = CASE WHEN stream IS NULL THEN max(booked_to, excluded.booked_to) ELSE booked_to END`,
  ).run(agentId, at, at, records, minuteOf(at));
}

function conflictOf(known: AgentRow, contact: Contact): string | null {
  const { protocol, request, now } = contact;
  if (now - known.last_contact > CONFLICT_MS) return null;
  if (known.stream === null) return null;
  if (protocol === 1) return 'an agent of the original and one of this version use this id';
  if (request === null || !contact.knownStream) return null;
  if (known.protocol === 1) return 'an agent of the original and one of this version use this id';
  if (known.stream !== request.stream) return 'two journals use this id';
  if (known.boot !== request.boot && contact.knownBoot) return 'two copies of one journal use this id';
  return null;
}
