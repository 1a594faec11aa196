import { CodedError } from '../../common/errors.ts';
import { openStore, prepared, type Sqlite } from '../../common/sqlite.ts';
import { isLocalAgentId, normalAgentId } from '../../domain/agent-id.ts';
import { minuteOf } from '../../domain/bucket.ts';
import { MAX_ROWS, ROW_ORDER, V1_SENDER } from '../../protocol/constants.ts';
import type { SyncPackage } from '../../protocol/v1.ts';
import type { SyncAnswer, SyncRequest } from '../../protocol/v2.ts';
import { AgentTable, type Contact } from './agents.ts';
import { BatchMerge, type MergeContext, SKEW_MINUTES } from './batch-merge.ts';
import { Heads } from './heads.ts';
import { Importer } from './importer.ts';
import { Ledger } from './ledger.ts';
import { Lots } from './lots.ts';
import { mergeSample } from './record.ts';
import { RecordTable } from './record-table.ts';
import { readV1 } from './rows.ts';
import { RECORDS_FILE } from './schema.ts';

/** Largest body that an agent should send, uncompressed. */
const BATCH_BYTES = 8 * 1024 * 1024;
const QUARANTINE_ROWS = 10_000;
const CLOSED_AFTER_MS = 24 * 3_600_000;

export interface MergerOptions {
  path: string;
  now?: () => number;
  /** Whether the id of the agent inside this master may be used; only its own deliveries may. */
  reserveLocal: boolean;
}

export interface MergerMetrics {
  batches: number;
  samples: number;
  records: number;
  rejected: number;
  headMismatches: number;
  late: number;
}

/**
 * The master's commit point: records, facts on their way and heads change in one transaction, and an answer may
 * leave only after it. Synchronous and single: it owns the writing connection, in a worker thread of its own.
 */
export class Merger {
  readonly db: Sqlite;
  readonly lots: Lots;
  readonly importer: Importer;
  readonly #now: () => number;
  readonly #reserveLocal: boolean;
  readonly #records: RecordTable;
  readonly #ledger: Ledger;
  readonly #heads: Heads;
  readonly #agents: AgentTable;
  readonly #conflicts: { agentId: string; conflict: string }[] = [];
  /** Facts merged and not yet sealed into a lot. */
  unsealed: number;
  readonly metrics: MergerMetrics = {
    batches: 0,
    samples: 0,
    records: 0,
    rejected: 0,
    headMismatches: 0,
    late: 0,
  };

  constructor(options: MergerOptions) {
    this.db = openStore(options.path, RECORDS_FILE);
    // A batch touches a page for nearly every record, more than the default of 1,000, so each would write its pages
    // into the file, too, and wait for the disk once more; records that move again do so in the log first.
    this.db.pragma('wal_autocheckpoint = 8000');
    this.#now = options.now ?? Date.now;
    this.#reserveLocal = options.reserveLocal;
    this.lots = new Lots(this.db);
    this.#records = new RecordTable(this.db);
    this.#ledger = new Ledger(this.db);
    this.#heads = new Heads(this.db);
    this.#agents = new AgentTable(this.db);
    this.importer = new Importer(this.db, this.#records, this.#ledger);
    this.unsealed = this.lots.unsealed();
  }

  close(): void {
    if (this.db.open) this.db.close();
  }

  /** Merges one v2 request; `trusted` marks the agent inside this master. */
  v2(request: SyncRequest, boundAgent: string | null, trusted: boolean): SyncAnswer {
    const agentId = this.#agentOf(request.agent_id, boundAgent, trusted);
    const rows = ROW_ORDER.reduce((sum, name) => sum + request[name].length, 0);
    if (rows > MAX_ROWS) {
      throw new CodedError('body_too_large', `the batch has ${rows} rows; at most ${MAX_ROWS} are taken`);
    }
    const now = this.#now();
    return this.#transaction((context) => {
      const stream = this.#heads.stream(agentId, request.stream, now);
      const { ok, headBefore, knownBoot } = this.#heads.judge(
        stream.num,
        request.boot,
        request.prev,
        request.inflight,
      );
      const answer: SyncAnswer = {
        ok,
        head_before: headBefore,
        accepted: 0,
        rejected: [],
        server_time: now,
        limits: { rows: MAX_ROWS, bytes: BATCH_BYTES },
      };
      let bookedTo = 0;
      if (ok) {
        const merge = new BatchMerge(context, request, agentId, stream, headBefore);
        merge.run();
        this.#heads.move(stream.num, request.boot, request.batch, now);
        answer.accepted = merge.accepted;
        answer.rejected = merge.rejected;
        bookedTo = merge.bookedTo;
        this.metrics.samples += request.samples.length;
        this.metrics.late += merge.late;
        for (const [array, index, code] of merge.rejected) {
          this.#quarantine(agentId, array, code, request[array][index], now);
        }
      } else {
        this.metrics.headMismatches++;
        if (headBefore !== null) this.#heads.move(stream.num, request.boot, headBefore, now);
      }
      this.metrics.batches++;
      this.#note(agentId, {
        agentId,
        protocol: 2,
        now,
        request,
        bookedTo,
        knownStream: !stream.isNew,
        knownBoot,
      });
      return answer;
    });
  }

  /** Merges a package of the original's: each record is one sample, base 0, no totals. */
  v1(envelope: SyncPackage, boundAgent: string | null): { count: number; rejected: number } {
    const { length } = envelope.connections;
    if (length > MAX_ROWS) {
      throw new CodedError(
        'body_too_large',
        `the package has ${length} records; at most ${MAX_ROWS} are taken`,
      );
    }
    const envelopeAgent = this.#agentOf(envelope.agent_id, boundAgent, false);
    const now = this.#now();
    return this.#transaction((context) => {
      let rejected = 0;
      const bookedTo = new Map<string, number>([[envelopeAgent, 0]]);
      for (const item of envelope.connections) {
        const record = readV1(item, now);
        const code =
          typeof record === 'string'
            ? record
            : this.#mergeV1(context, record, envelopeAgent, boundAgent, bookedTo);
        if (code === null) continue;
        rejected++;
        this.#quarantine(envelopeAgent, 'v1', code, item, now);
      }
      this.metrics.batches++;
      this.metrics.records += envelope.connections.length;
      for (const [agentId, minute] of bookedTo) {
        this.#note(agentId, {
          agentId,
          protocol: envelope.sender === V1_SENDER ? 2 : 1,
          now,
          request: null,
          bookedTo: minute,
          knownStream: false,
          knownBoot: false,
        });
      }
      if (rejected > 0) this.#agents.addRefused(envelopeAgent, rejected);
      return { count: envelope.connections.length, rejected };
    });
  }

  #mergeV1(
    context: MergeContext,
    v1: Exclude<ReturnType<typeof readV1>, string>,
    envelopeAgent: string,
    boundAgent: string | null,
    bookedTo: Map<string, number>,
  ): string | null {
    // The original's agents send rows that they collected under an earlier id: a record's own agent wins.
    const agentId =
      v1.agentId === null || v1.agentId.trim() === '' ? envelopeAgent : normalAgentId(v1.agentId);
    if (agentId === null) return 'malformed';
    if (boundAgent !== null && agentId !== boundAgent) return 'agent-mismatch';
    if (isLocalAgentId(agentId) && this.#reserveLocal) return 'agent-mismatch';
    let record = this.#records.find(v1.id, agentId, context.importRow);
    if (record === undefined) {
      if (v1.sample.minute < minuteOf(context.horizon)) return 'too-old';
      record = this.#records.create(v1.fields, agentId, v1.counted, { download: 0, upload: 0 });
    } else {
      this.#records.fill(record, v1.fields);
    }
    const nowMinute = minuteOf(context.now);
    const minute = v1.sample.minute > nowMinute + SKEW_MINUTES ? nowMinute : v1.sample.minute;
    const booking = mergeSample(record, { ...v1.sample, minute }, null);
    if (booking !== null) {
      this.#ledger.book(record, booking);
      record.updatedAt = Math.max(record.updatedAt, Math.min(v1.at, context.now));
      record.closedAt = null;
    }
    bookedTo.set(agentId, Math.max(bookedTo.get(agentId) ?? 0, minute));
    return null;
  }

  /** Seals all that waits into lots; returns the rows that are sealed and not flushed. */
  seal(): number {
    while (this.sealOne() > 0);
    return this.lots.waiting();
  }

  /** Seals one lot, and returns how many rows it has: between two of them agents can be answered. */
  sealOne(): number {
    const sealed = this.lots.sealOne(this.#now());
    this.unsealed -= sealed;
    return sealed;
  }

  /** Imports a chunk of the original's rows; returns what is left, 0 when done. */
  importChunk(limit: number): number {
    const taken = this.#transaction(() => this.importer.importSome(limit, this.#now()));
    return taken < limit ? 0 : this.importer.left();
  }

  /** Housekeeping: v1 records without change for a day count as closed; flushed lots are forgotten in time. */
  tidy(): void {
    const now = this.#now();
    prepared(
      this.db,
      `UPDATE connections SET closed_at = updated_ms WHERE closed_at IS NULL AND updated_ms < ? AND agent_id IN
           (SELECT agent_id FROM agents WHERE protocol = 1)`,
    ).run(now - CLOSED_AFTER_MS);
    this.lots.forget(now);
  }

  #agentOf(given: string, boundAgent: string | null, trusted: boolean): string {
    const id = normalAgentId(given);
    if (id === null) {
      throw new CodedError('body_invalid', 'agent_id must be 1 to 128 characters without controls', {
        details: [{ field: 'agent_id', problem: 'must be 1 to 128 characters without controls' }],
      });
    }
    if (isLocalAgentId(id) && this.#reserveLocal && !trusted) {
      throw new CodedError('agent_id_reserved', 'the id "local" belongs to the agent inside this master');
    }
    if (boundAgent !== null && boundAgent !== id) {
      throw new CodedError('forbidden', `this token may only act as agent "${boundAgent}"`);
    }
    return id;
  }

  #transaction<T>(work: (context: MergeContext) => T): T {
    const now = this.#now();
    try {
      const result = this.db.transaction(() => {
        const horizon = prepared(this.db, "SELECT value FROM meta WHERE key = 'horizon'").get() as {
          value: string;
        };
        const result = work({
          db: this.db,
          records: this.#records,
          ledger: this.#ledger,
          now,
          horizon: Number(horizon.value),
          importRow: (rowid) => this.importer.importOne(rowid, now),
        });
        this.#agents.addRecords(this.#records.write(now));
        this.#ledger.write();
        return result;
      })();
      this.unsealed += this.#ledger.takeRows();
      return result;
    } catch (error) {
      this.#records.reset();
      this.#ledger.reset();
      throw error;
    }
  }

  /** Keeps what a contact says of the agent, and tells of a conflict once the transaction is done. */
  #note(agentId: string, contact: Contact): void {
    const conflict = this.#agents.contact(contact);
    if (conflict !== null) this.#conflicts.push({ agentId, conflict });
  }

  /** Conflicts that began since it was asked last. */
  takeConflicts(): { agentId: string; conflict: string }[] {
    return this.#conflicts.splice(0);
  }

  #quarantine(agentId: string, what: string, code: string, row: unknown, now: number): void {
    this.metrics.rejected++;
    prepared(this.db, 'INSERT INTO quarantine (at, agent_id, what, code, row) VALUES (?, ?, ?, ?, ?)').run(
      now,
      agentId,
      what,
      code,
      (JSON.stringify(row) ?? '').slice(0, 4000),
    );
    prepared(
      this.db,
      `DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ${QUARANTINE_ROWS}`,
    ).run();
  }
}
