import { Backoff } from '../../common/backoff.ts';
import type { Logger } from '../../common/logger.ts';
import { minuteOf } from '../../domain/bucket.ts';
import { MAX_ROWS, PROTOCOL_VERSION } from '../../protocol/constants.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import type { AgentClock } from '../clock.ts';
import { Acknowledger } from '../journal/acknowledge.ts';
import type { Journal } from '../journal/journal.ts';
import { type Batch, Outbox } from '../journal/outbox.ts';
import { judgeReply, type Outcome } from './outcome.ts';
import type { Transport } from './transport.ts';
import { encodeV1, nextV1, type V1Batch } from './v1.ts';

/** What the agent says of itself in every request; display only. */
export interface SelfReport {
  core: SyncRequest['core'];
  version: string;
  sampleInterval: number;
  journalBudget: number;
}

export interface SyncEngineOptions {
  journal: Journal;
  transport: Transport;
  clock: AgentClock;
  /** Seconds between two syncs, announced so that the master can tell late from offline. */
  interval: number;
  report: () => SelfReport;
  logger: Logger;
  random?: () => number;
  /** The monotonic clock in ms, for the hourly probe. */
  monotonic?: () => number;
}

/** When to call `step` again. */
export type Next = { kind: 'now' } | { kind: 'interval' } | { kind: 'after'; ms: number };

export interface SyncStatus {
  protocol: 1 | 2;
  lastOk: number | null;
  clockOffsetMs: number;
  failure: string | null;
  sent: number;
}

const RETRY_BASE_MS = 1000;
const RETRY_CAP_MS = 120_000;
/** While nobody is there an attempt costs nobody anything, and what waits is to arrive soon after the return. */
const NOBODY_CAP_MS = 15_000;
const DENIED_MS = 5 * 60_000;
const SAY_AGAIN_MS = 3_600_000;
const PROBE_MS = 3_600_000;
const NOW: Next = { kind: 'now' };
const INTERVAL: Next = { kind: 'interval' };
const EMPTY_V1: V1Batch = { which: 'fallback', records: [], samples: [] };

/**
 * One step of sync at a time: choose a batch, write down that it is in flight, send, take in the answer. Loops,
 * timers and signals are around it (`syncer.ts`), so that a test can put a crash between any two of its parts.
 */
export class SyncEngine {
  readonly #journal: Journal;
  readonly #outbox: Outbox;
  readonly #ack: Acknowledger;
  readonly #transport: Transport;
  readonly #clock: AgentClock;
  readonly #options: SyncEngineOptions;
  readonly #backoff: Backoff;
  readonly #nobody: Backoff;
  readonly #log: Logger;
  readonly #monotonic: () => number;
  /** Rows that fit, after a 413; and while a batch that the master cannot read is being narrowed down. */
  #fits = MAX_ROWS;
  #narrowed: number | null = null;
  /** An empty batch goes first, to learn whether anything is taken at all; and whether one just was. */
  #probing = false;
  #proven = false;
  #v1Until = 0;
  /** Answers in a row that were not ok. */
  #mismatches = 0;
  /** Monotonic ms; null while the master answers. */
  #saidUnreachable: number | null = null;
  readonly status: SyncStatus = { protocol: 2, lastOk: null, clockOffsetMs: 0, failure: null, sent: 0 };

  constructor(options: SyncEngineOptions) {
    this.#options = options;
    this.#journal = options.journal;
    this.#outbox = new Outbox(options.journal);
    this.#ack = new Acknowledger(options.journal);
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#log = options.logger;
    this.#backoff = new Backoff(RETRY_BASE_MS, RETRY_CAP_MS, options.random);
    this.#nobody = new Backoff(RETRY_BASE_MS, NOBODY_CAP_MS, options.random);
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#fits = Number(this.#journal.meta('fits') ?? MAX_ROWS);
  }

  backlog(): number {
    return this.#outbox.backlog();
  }

  /** `hold`: what is still of the running minute waits for its end. */
  async step(hold = false): Promise<Next> {
    const adopted = nextV1(this.#journal, 'adopted', Math.min(1000, this.#limit()));
    if (adopted.records.length > 0) return await this.#stepV1(this.#probing ? EMPTY_V1 : adopted);
    if (this.#monotonic() < this.#v1Until) {
      const records = nextV1(this.#journal, 'fallback', Math.min(1000, this.#limit()));
      if (records.records.length === 0) return INTERVAL;
      return await this.#stepV1(this.#probing ? EMPTY_V1 : records);
    }
    return await this.#stepV2(hold ? minuteOf(this.#clock.now()) : undefined);
  }

  #limit(): number {
    return Math.max(1, Math.min(this.#fits, this.#narrowed ?? MAX_ROWS));
  }

  async #stepV2(before: number | undefined): Promise<Next> {
    // Also before the first one after the original's wire was used: then all goes again, oldest first.
    const empty = this.#probing || this.#ack.usedV1();
    const limit = this.#limit();
    const batch = this.#outbox.next(empty ? 0 : limit, before);
    this.#outbox.sending(batch);
    const reply = await this.#transport.post('/api/v2/sync', this.#encode(batch));
    const outcome = judgeReply(reply);
    if (outcome.kind !== 'answered') return this.#failed(outcome, batch.count, () => this.#giveUp(batch));
    const { answer } = outcome;
    if (this.status.protocol === 1) {
      this.status.protocol = 2;
      this.#log.info('the master understands protocol 2 now');
    }
    this.#succeeded(answer.server_time);
    if (answer.limits.rows > 0 && answer.limits.rows < this.#fits) this.#fits = answer.limits.rows;
    if (!answer.ok) {
      this.#ack.notOk(batch, answer.head_before);
      return this.#mismatched(answer.head_before, batch.prev);
    }
    this.#mismatches = 0;
    this.#ack.ok(batch, answer, this.#clock.now());
    this.#outbox.delivered(batch);
    this.status.sent += batch.count;
    if (answer.rejected.length > 0) {
      this.#log.warn(
        { rejected: answer.rejected.slice(0, 10), count: answer.rejected.length },
        'rows refused',
      );
    }
    if (empty) {
      this.#takesSomething();
      this.#ack.upgradeFromV1();
      return NOW;
    }
    this.#narrowed = null;
    this.#proven = false;
    // A batch that was not nearly full took all there was.
    return batch.count * 4 >= limit ? NOW : INTERVAL;
  }

  async #stepV1(batch: V1Batch): Promise<Next> {
    const body = encodeV1(this.#journal.agentId, batch.records, this.#clock.now());
    const outcome = judgeV1(await this.#transport.post('/api/v1/sync', body));
    if (outcome.kind !== 'answered') {
      return this.#failed(outcome, batch.records.length, () => this.#giveUpV1(batch));
    }
    this.#succeeded(null);
    if (batch.records.length === 0) {
      this.#takesSomething();
      return NOW;
    }
    this.#ack.okV1(batch.samples, batch.which);
    this.status.sent += batch.records.length;
    this.#narrowed = null;
    this.#proven = false;
    return NOW;
  }

  /** Said when it begins and once an hour, not at every attempt: an agent may be offline for days. */
  #sayUnreachable(reason: string): void {
    const now = this.#monotonic();
    if (this.#saidUnreachable !== null && now - this.#saidUnreachable < SAY_AGAIN_MS) return;
    this.#saidUnreachable = now;
    this.#log.warn(
      { reason, backlog: this.#outbox.backlog() },
      'the master cannot be reached; recording goes on',
    );
  }

  #succeeded(serverTime: number | null): void {
    if (this.#saidUnreachable !== null) this.#log.info('the master answers again');
    this.#saidUnreachable = null;
    this.#backoff.reset();
    this.#nobody.reset();
    this.status.failure = null;
    this.status.lastOk = this.#clock.now();
    if (serverTime === null) return;
    this.status.clockOffsetMs = this.#clock.offsetFrom(serverTime);
    this.#clock.serverTime(serverTime);
  }

  #failed(outcome: Exclude<Outcome, { kind: 'answered' }>, count: number, giveUp: () => void): Next {
    switch (outcome.kind) {
      case 'retry': {
        this.status.failure = outcome.reason;
        const ms = (outcome.nobody ? this.#nobody : this.#backoff).next(outcome.floorMs);
        this.#sayUnreachable(outcome.reason);
        return { kind: 'after', ms };
      }
      case 'too-large': {
        if (count > 0 && this.#limit() > 1) {
          this.#setFits(Math.max(1, Math.floor(Math.min(this.#limit(), Math.max(count, 2)) / 2)));
          this.#log.info({ rows: this.#fits }, 'batches are too large for the master; halved');
          return NOW;
        }
        return this.#refused('the batch is too large', count, () => {
          giveUp();
          // It was this record; there is no reason to send the others one by one.
          this.#setFits(MAX_ROWS);
        });
      }
      case 'invalid': {
        if (count > 1 && this.#limit() > 1) {
          this.status.failure = outcome.reason;
          this.#narrowed = Math.max(1, Math.floor(Math.min(this.#limit(), count) / 2));
          return NOW;
        }
        return this.#refused(outcome.reason, count, giveUp);
      }
      case 'denied': {
        const { status, reason, hint } = outcome;
        this.status.failure = `${status} ${reason}`;
        this.#log.error(
          { status, reason, ...(hint !== '' && { hint }) },
          `the master refuses this agent${status === 401 ? ' (--master-token?)' : ''}; collecting goes on, nothing is lost`,
        );
        return { kind: 'after', ms: DENIED_MS };
      }
      case 'unsupported': {
        if (this.status.protocol === 2) {
          this.#log.info('the master does not know protocol 2; falling back to the original wire');
        }
        this.status.protocol = 1;
        this.#v1Until = this.#monotonic() + PROBE_MS;
        return NOW;
      }
    }
  }

  /**
   * One mismatch is healed by the next batch, two clones heal in a few; a master that never agrees (a cache in between,
   * two masters behind one name) must not be asked without a pause.
   */
  #mismatched(head: string | null, prev: string | null): Next {
    this.#mismatches++;
    if (this.#mismatches <= 3) {
      this.#log.warn(
        { head, prev },
        'the master is at another state than expected; sending again what it may miss',
      );
      return NOW;
    }
    this.status.failure = 'the master is never at the state that it named';
    if (this.#mismatches === 4) this.#log.error({ head, prev }, this.status.failure);
    return { kind: 'after', ms: Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** (this.#mismatches - 3)) };
  }

  /**
   * Nothing smaller can be sent. It is the record's fault only if an empty batch is taken: a proxy, or something
   * else that answers at this address, refuses everything, and then nothing may be given up.
   */
  #refused(reason: string, count: number, giveUp: () => void): Next {
    this.status.failure = reason;
    if (count === 0) {
      this.#log.error({ reason }, 'whoever answers takes no batch at all (--master-url?); nothing is lost');
      return { kind: 'after', ms: this.#backoff.next() };
    }
    if (!this.#proven) {
      this.#probing = true;
      return NOW;
    }
    this.#log.error({ reason }, 'the master cannot read this record; it is kept in quarantine');
    giveUp();
    this.#narrowed = null;
    this.#proven = false;
    return NOW;
  }

  #takesSomething(): void {
    this.#proven = this.#probing;
    this.#probing = false;
  }

  #setFits(rows: number): void {
    this.#fits = rows;
    this.#journal.setMeta('fits', String(rows));
  }

  #giveUp(batch: Batch): void {
    this.#ack.giveUp(batch, this.#clock.now());
  }

  #giveUpV1(batch: V1Batch): void {
    this.#ack.okV1(batch.samples, batch.which);
    for (const record of batch.records) {
      this.#ack.quarantine('v1', 'malformed', record, [], this.#clock.now());
    }
  }

  #encode(batch: Batch): string {
    const { journal, interval } = this.#options;
    const report = this.#options.report();
    const request: SyncRequest = {
      v: PROTOCOL_VERSION,
      agent_id: journal.agentId,
      stream: journal.stream,
      boot: journal.boot,
      batch: batch.id,
      prev: batch.prev,
      inflight: batch.inflight,
      sent_at: this.#clock.now(),
      core: report.core,
      strings: batch.strings,
      ...batch.rows,
      agent: {
        version: report.version,
        backlog: this.#outbox.backlog(),
        interval,
        sample_interval: report.sampleInterval,
        quarantined: Number(journal.meta('quarantined') ?? 0),
        journal_bytes: journal.size(),
        journal_budget: report.journalBudget,
      },
    };
    return JSON.stringify(request);
  }
}

/** The original answers any success with its envelope; its body says nothing that the agent needs. */
function judgeV1(reply: Parameters<typeof judgeReply>[0]): Outcome {
  if (reply.kind === 'answer' && reply.status >= 200 && reply.status < 300) {
    return {
      kind: 'answered',
      answer: {
        ok: true,
        head_before: null,
        accepted: 0,
        rejected: [],
        server_time: 0,
        limits: { rows: 0, bytes: 0 },
      },
    };
  }
  // An original answers 500 to what it cannot read; there is no way to tell that from trouble of its own.
  const outcome = judgeReply(reply);
  return outcome.kind === 'unsupported'
    ? { kind: 'retry', floorMs: 60_000, reason: 'no sync endpoint', nobody: false }
    : outcome;
}
