import { prepared } from '../../common/sqlite.ts';
import { isLocalAgentId, normalAgentId } from '../../domain/agent-id.ts';
import { minuteOf } from '../../domain/bucket.ts';
import { isCounted } from '../../domain/connection.ts';
import { type MergeContext, SKEW_MINUTES } from './batch-merge.ts';
import { mergeSample, setClosed } from './record.ts';
import { readV1, v1Fields, v1Value } from './v1-record.ts';

export interface PackageSender {
  /** Who the envelope says it is. */
  agentId: string;
  /** The agent that the credential is bound to; null for credentials that may act as any agent. */
  boundAgent: string | null;
  reserveLocal: boolean;
}

type Agent = { id: string; hasJournals: boolean } | { refused: 'malformed' | 'agent-mismatch' };

/** Merges the records of one v1 package; each is one sample, with base 0 and without totals. */
export class PackageMerge {
  readonly #context: MergeContext;
  readonly #sender: PackageSender;
  /** What became of each agent that records named: a package names one, or a few. */
  readonly #agents = new Map<string | null, Agent>();
  /** Newest minute booked for each agent. */
  readonly bookedTo: Map<string, number>;

  constructor(context: MergeContext, sender: PackageSender) {
    this.#context = context;
    this.#sender = sender;
    this.bookedTo = new Map([[sender.agentId, 0]]);
  }

  /** Returns why a record cannot be taken, or null. */
  merge(item: unknown): string | null {
    const { records, ledger, now, horizon, onEarlier } = this.#context;
    const v1 = readV1(item, now);
    if (typeof v1 === 'string') return v1;
    const agent = this.#agentOf(v1.agentId);
    if ('refused' in agent) return agent.refused;
    let record = records.find(v1.id, agent.id, onEarlier);
    if (record === undefined) {
      if (v1.sample.minute < minuteOf(horizon)) return 'too-old';
      const fields = v1Fields(v1);
      record = records.create(fields, agent.id, isCounted(fields), { download: 0, upload: 0 });
    } else {
      records.fill(record, (field) => v1Value(v1.source, field));
      // An agent of the original has none, and need not look for every record.
      if (agent.hasJournals) records.covers.of(record);
    }
    const nowMinute = minuteOf(now);
    const minute = v1.sample.minute > nowMinute + SKEW_MINUTES ? nowMinute : v1.sample.minute;
    const booking = mergeSample(record, { ...v1.sample, minute }, null);
    records.heard(record, now);
    if (booking !== null) {
      ledger.book(record, booking);
      record.updatedAt = Math.max(record.updatedAt, Math.min(v1.at, now));
      setClosed(record, null);
    }
    this.bookedTo.set(agent.id, Math.max(this.bookedTo.get(agent.id) ?? 0, minute));
    return null;
  }

  /** The original's agents send rows that they collected under an earlier id: a record's own agent wins. */
  #agentOf(named: string | null): Agent {
    let agent = this.#agents.get(named);
    if (agent === undefined) {
      agent = this.#judge(named);
      this.#agents.set(named, agent);
    }
    return agent;
  }

  #judge(named: string | null): Agent {
    const { agentId, boundAgent, reserveLocal } = this.#sender;
    const id = named === null || named.trim() === '' ? agentId : normalAgentId(named);
    if (id === null) return { refused: 'malformed' };
    if (boundAgent !== null && id !== boundAgent) return { refused: 'agent-mismatch' };
    if (isLocalAgentId(id) && reserveLocal) return { refused: 'agent-mismatch' };
    const journal = prepared(this.#context.db, 'SELECT 1 FROM streams WHERE agent_id = ? LIMIT 1').get(id);
    return { id, hasJournals: journal !== undefined };
  }
}
