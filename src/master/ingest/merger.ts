import { CodedError } from '../../common/errors.ts';
import { inTransaction, openStore, prepared, type Sqlite } from '../../common/sqlite.ts';
import { isLocalAgentId, normalAgentId } from '../../domain/agent-id.ts';
import { MAX_ROWS, ROW_ORDER, V1_SENDER } from '../../protocol/constants.ts';
import type { SyncPackage } from '../../protocol/v1.ts';
import type { SyncAnswer, SyncRequest } from '../../protocol/v2.ts';
import { hasEarlierRows, reserveNumbers } from '../layout/earlier-rows.ts';
import { AgentTable, type Contact } from './agents.ts';
import { BatchMerge, type MergeContext } from './batch-merge.ts';
import { ExportedMerge, type ExportedOutcome, type ExportedRow } from './exported-merge.ts';
import { Heads } from './heads.ts';
import { Importer } from './importer.ts';
import { Ledger } from './ledger.ts';
import { Lots } from './lots.ts';
import { PackageMerge } from './package-merge.ts';
import { quarantine } from './quarantine.ts';
import { type PrunePart, RecordRetention } from './record-retention.ts';
import { RecordTable } from './record-table.ts';
import { RECORDS_FILE } from './schema.ts';
import { TotalsRetention } from './totals-retention.ts';

/** Largest body that an agent should send, uncompressed. */
const BATCH_BYTES = 8 * 1024 * 1024;
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
  readonly retention: RecordRetention;
  readonly totals: TotalsRetention;
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
    if (hasEarlierRows(this.db)) inTransaction(this.db, () => reserveNumbers(this.db));
    this.lots = new Lots(this.db);
    this.#records = new RecordTable(this.db);
    this.#ledger = new Ledger(this.db);
    this.#heads = new Heads(this.db);
    this.#agents = new AgentTable(this.db);
    this.importer = new Importer(this.db, this.#records, this.#ledger);
    this.retention = new RecordRetention(this.db, this.#agents);
    this.totals = new TotalsRetention(this.db);
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
      const merge = new PackageMerge(context, {
        agentId: envelopeAgent,
        boundAgent,
        reserveLocal: this.#reserveLocal,
      });
      for (const item of envelope.connections) {
        const code = merge.merge(item);
        if (code === null) continue;
        rejected++;
        this.#quarantine(envelopeAgent, 'v1', code, item, now);
      }
      this.metrics.batches++;
      this.metrics.records += envelope.connections.length;
      for (const [agentId, minute] of merge.bookedTo) {
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

  /** Merges rows of our own exports; a row that cannot be taken costs the others nothing. One outcome for each. */
  importExported(rows: readonly ExportedRow[]): ExportedOutcome[] {
    return this.#transaction((context) => {
      const merge = new ExportedMerge(context);
      return rows.map((row) => merge.merge(row));
    });
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

  /** Makes records of the next rows of the earlier layout; returns how many are left, 0 when done. */
  importChunk(limit: number): number {
    return this.#transaction(() => this.importer.takeSome(limit, this.#now()));
  }

  /** Housekeeping: v1 records without change for a day count as closed; flushed lots are forgotten in time. */
  tidy(): void {
    const now = this.#now();
    prepared(
      this.db,
      `UPDATE records SET closed_at = updated_ms WHERE closed_at IS NULL AND updated_ms < ? AND agent_id IN
           (SELECT t.id FROM agents a JOIN texts t ON t.text = a.agent_id WHERE a.protocol = 1)`,
    ).run(now - CLOSED_AFTER_MS);
    this.forgetRecords();
  }

  /** Begins a round of retention, which goes on with `pruneSome`. `keepMs`: how long records are kept. */
  beginPruning(keepMs: number): PrunePart {
    return this.retention.begin(keepMs, this.#now());
  }

  /** Removes some of the records that are old enough; returns what is left to look at, null when the round is done. */
  pruneSome(part: PrunePart): { removed: number; next: PrunePart | null } {
    const { gone, next } = this.retention.step(part);
    for (const { agent_id, id } of gone) this.#records.drop(agent_id, id);
    return { removed: gone.length, next };
  }

  /** To be called after records were changed or removed by anything but a merge: those in memory may be others now. */
  forgetRecords(): void {
    this.#records.forget();
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
      throw new CodedError(
        'agent_id_bound',
        `this token delivers for agent "${boundAgent}" only, and this agent is "${id}"`,
      );
    }
    return id;
  }

  #transaction<T>(work: (context: MergeContext) => T): T {
    const now = this.#now();
    try {
      const result = inTransaction(this.db, () => {
        const horizon = prepared(this.db, "SELECT value FROM meta WHERE key = 'horizon'").get() as {
          value: string;
        };
        const result = work({
          db: this.db,
          records: this.#records,
          ledger: this.#ledger,
          now,
          horizon: Number(horizon.value),
          onEarlier: (rowid) => this.importer.takeOne(rowid, now),
        });
        this.#agents.addRecords(this.#records.write(now));
        this.#ledger.write();
        return result;
      });
      this.#records.committed();
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
    quarantine(this.db, { at: now, agentId, what, code, value: row });
  }
}
