import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CodedError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { fromWire } from '../../common/wire-error.ts';
import type { SyncAnswer } from '../../protocol/v2.ts';
import type { LedgerLot, LotSource } from '../store/lot-source.ts';
import type { TotalsBorders, TotalsKeeper } from '../store/maintenance.ts';
import type { Fact, Lot } from '../store/store.ts';
import type { HashedToken, NewToken } from '../tokens/token.ts';
import type { TokenWriter } from '../tokens/token-registry.ts';
import type { CreatedToken, TokenUse } from '../tokens/token-table.ts';
import type { Delivery, Ingest } from './ingest.ts';
import type { BackupMark } from './lots.ts';
import type { MergerMetrics } from './merger.ts';
import type { OperationName, Operations, ToMain, WorkerSetup } from './messages.ts';
import { unpackFacts } from './packed-facts.ts';
import type { PrunedSums } from './record-retention.ts';
import type { TotalsPart } from './totals-retention.ts';

/** The sources run as they are in development, compiled in the package: the worker has its neighbour's ending. */
const WORKER = new URL(`./worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

const TIDY_MS = 10 * 60_000;
const RESTART_MS = 1000;
const DAY_MS = 86_400_000;
/** Between two rounds of retention, and between two steps of one, so that agents have most of the time. */
const PRUNE_EVERY_MS = 3_600_000;
const PRUNE_PAUSE_MS = 20;

/**
 * Far more than the thread needs; V8 goes by it when it decides how much garbage may gather: without it up to four times
 * what is alive, which was 70 MB of 390.
 */
const HEAP_MB = 512;

export interface IngestThreadOptions {
  path: string;
  reserveLocal: boolean;
  /** Days that records of closed connections are kept after the last that arrived for them; default 0, for ever. */
  recordRetentionDays?: number;
  /** Facts waiting that make a flush due at once. */
  hurryRows?: number;
  onHurry: () => void;
  /** Gets all tokens: before `start` resolves, and whenever they change, whoever changed them. */
  onTokens?: (tokens: HashedToken[]) => void;
  logger: Logger;
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * Ingest in a thread of its own, which owns SQLite's writing connection: parsing and merging a thousand records takes
 * longer than the thread that serves HTTP may be away. Also the source of lots for the fact store.
 */
export class IngestThread implements Ingest, LotSource, TokenWriter, TotalsKeeper {
  readonly name = 'ingest';
  readonly #options: IngestThreadOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #nextId = 1;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  importLeft = 0;
  /** Flushed lots that were dropped here before any backup had them. */
  forgottenWithoutBackup = 0;
  /** What retention of records has removed so far, this and earlier processes. */
  pruned: PrunedSums = { records: 0, download: 0, upload: 0, horizon: 0 };
  #prunedAt = 0;
  #pruning = false;

  constructor(options: IngestThreadOptions) {
    this.#options = options;
  }

  /** Opens the records database; throws what opening it throws (`file_newer`, `file_damaged` …). */
  async start(): Promise<void> {
    this.#stopping = false;
    await this.#spawn();
    this.pruned = await this.#ask('pruned');
    this.#timer = setInterval(() => {
      this.#tidy().catch((error: unknown) => this.#options.logger.error({ err: error }, 'tidying failed'));
    }, TIDY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#timer);
    const worker = this.#worker;
    if (worker === null) return;
    await this.#ask('close').catch(() => {});
    this.#worker = null;
    await worker.terminate();
    this.#failAll('the master is stopping');
  }

  get ready(): boolean {
    return this.#worker !== null;
  }

  /** Requests under way. */
  get waiting(): number {
    return this.#waiting.size;
  }

  v1(delivery: Delivery): Promise<{ count: number }> {
    return this.#deliver('v1', delivery);
  }

  v2(delivery: Delivery): Promise<SyncAnswer> {
    return this.#deliver('v2', delivery);
  }

  storeId(): Promise<string> {
    return this.#ask('storeId');
  }

  lots(limit: number, below: number): Promise<LedgerLot[]> {
    return this.#ask('lots', limit, below);
  }

  /** A lot at a time, so that agents are answered in between; what arrives meanwhile is left for the next call. */
  async seal(): Promise<number> {
    for (let left = Number.POSITIVE_INFINITY; ; ) {
      const { unsealed, sealed, waiting } = await this.#ask('sealOne');
      left = Math.min(left, unsealed) - sealed;
      if (sealed === 0 || left <= 0) return waiting;
    }
  }

  sealed(): Promise<Lot[]> {
    return this.#ask('sealed');
  }

  async rows(lot: number, offset: number, limit: number): Promise<Fact[]> {
    return unpackFacts(await this.#ask('rows', lot, offset, limit));
  }

  flushed(lot: number): Promise<void> {
    return this.#ask('flushed', lot);
  }

  /** Facts up to a lot are in a backup that was read back: the records need not keep them for it any longer. */
  async backedUp(mark: BackupMark): Promise<void> {
    await this.#ask('backedUp', mark);
    await this.#forget();
  }

  /** The newest backup that this records database knows of; zeros without one. */
  backup(): Promise<BackupMark> {
    return this.#ask('backup');
  }

  status(): Promise<{ metrics: MergerMetrics; unsealed: number; importLeft: number }> {
    return this.#ask('status');
  }

  /** Throws `name_taken` or `too_many_tokens`. */
  createToken(token: NewToken): Promise<CreatedToken> {
    return this.#ask('createToken', token);
  }

  /** Resolves to whether there was one. */
  revokeToken(id: number): Promise<boolean> {
    return this.#ask('revokeToken', id);
  }

  tokensUsed(uses: readonly TokenUse[]): Promise<void> {
    return this.#ask('tokensUsed', uses);
  }

  async #tidy(): Promise<void> {
    await this.#ask('tidy');
    await this.#forget();
    await this.#prune();
  }

  /** A step at a time, so that agents are answered in between. */
  async keepTotals(borders: TotalsBorders): Promise<void> {
    let part: TotalsPart | null = null;
    do part = await this.#ask('keepTotals', borders, part);
    while (part !== null);
  }

  /** The same. A round may last for longer than the time to the next, where years of records go at first. */
  async #prune(): Promise<void> {
    const { recordRetentionDays = 0, logger } = this.#options;
    if (recordRetentionDays === 0 || this.#pruning || Date.now() - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#pruning = true;
    try {
      let removed = 0;
      for (let part = await this.#ask('beginPruning', recordRetentionDays * DAY_MS); ; ) {
        const step = await this.#ask('pruneSome', part);
        removed += step.removed;
        if (step.next === null) break;
        part = step.next;
        if (step.removed > 0) await new Promise((resolve) => setTimeout(resolve, PRUNE_PAUSE_MS));
      }
      this.pruned = await this.#ask('pruned');
      if (removed > 0)
        logger.info({ records: removed }, 'records older than --record-retention-days were removed');
      this.#prunedAt = Date.now();
    } finally {
      this.#pruning = false;
    }
  }

  /** A piece at a time, so that agents are answered in between. */
  async #forget(): Promise<void> {
    for (let more = true; more; ) {
      const forgotten = await this.#ask('forgetSome');
      more = forgotten.more;
      if (forgotten.withoutBackup > 0 && this.forgottenWithoutBackup === 0) {
        this.#options.logger.warn(
          'facts that are in no backup are not kept twice any longer: were their file lost, they could not be written again',
        );
      }
      this.forgottenWithoutBackup += forgotten.withoutBackup;
    }
  }

  /** The body moves to the other thread: a copy of it in each was memory that only their collectors gave back. */
  #deliver<N extends 'v1' | 'v2'>(operation: N, delivery: Delivery): Promise<ReturnType<Operations[N]>> {
    const { buffer, byteLength } = delivery.body;
    // A part of a larger piece must stay, for others use the rest of it.
    const whole = buffer instanceof ArrayBuffer && byteLength > 0 && byteLength === buffer.byteLength;
    return this.#send(operation, [delivery], whole ? [buffer] : []);
  }

  #ask<N extends OperationName>(
    operation: N,
    ...args: Parameters<Operations[N]>
  ): Promise<ReturnType<Operations[N]>> {
    return this.#send(operation, args, []);
  }

  #send<N extends OperationName>(
    operation: N,
    args: unknown[],
    moved: ArrayBuffer[],
  ): Promise<ReturnType<Operations[N]>> {
    const worker = this.#worker;
    if (worker === null) {
      return Promise.reject(new CodedError('not_ready', 'the records are not open', { retryAfter: 2 }));
    }
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.postMessage({ id, operation, args }, moved);
    });
  }

  #spawn(): Promise<void> {
    const { path, reserveLocal, hurryRows = 5000, logger } = this.#options;
    const setup: WorkerSetup = { path, reserveLocal, hurryRows };
    const worker = new Worker(WORKER, {
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    return new Promise((resolve, reject) => {
      let ready = false;
      worker.on('message', (message: ToMain) => {
        if (message.kind === 'ready') {
          ready = true;
          this.#worker = worker;
          resolve();
        } else if (message.kind === 'failed' && !ready) {
          reject(fromWire(message.error));
        } else {
          this.#take(message);
        }
      });
      worker.on('error', (error) => {
        logger.fatal({ err: error }, 'the ingest thread died');
        if (!ready) reject(error);
      });
      worker.on('exit', () => {
        if (this.#worker !== worker) return;
        this.#worker = null;
        this.#failAll('the ingest thread ended');
        // Whatever was committed is in the file; agents repeat what was not answered.
        if (!this.#stopping) setTimeout(() => this.#respawn(), RESTART_MS).unref();
      });
    });
  }

  #respawn(): void {
    if (this.#stopping) return;
    this.#spawn().catch((error: unknown) => {
      this.#options.logger.fatal({ err: error }, 'the ingest thread cannot be started again');
      setTimeout(() => this.#respawn(), RESTART_MS * 10).unref();
    });
  }

  #take(message: ToMain): void {
    switch (message.kind) {
      case 'answer':
      case 'error': {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if (message.kind === 'answer') waiting?.resolve(message.value);
        else waiting?.reject(fromWire(message.error));
        return;
      }
      case 'hurry':
        this.#options.onHurry();
        return;
      case 'tokens':
        this.#options.onTokens?.(message.tokens);
        return;
      case 'import':
        this.#logImport(message.left);
        return;
      case 'failed':
        this.#options.logger.error(
          { reason: message.error.message },
          'import of earlier rows failed; it will be tried again',
        );
        return;
      case 'conflict':
        this.#options.logger.warn(
          { agent: message.agentId, conflict: message.conflict },
          'sums stay exact; minutes and unattributed bytes of this agent are no promise',
        );
        return;
      case 'ready':
        return;
    }
  }

  #logImport(left: number): void {
    const step = Math.floor(this.importLeft / 100_000) !== Math.floor(left / 100_000);
    if (left === 0) this.#options.logger.info('all rows of the earlier database are imported');
    else if (step || this.importLeft === 0)
      this.#options.logger.info({ left }, 'importing rows of the earlier database');
    this.importLeft = left;
  }

  #failAll(reason: string): void {
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new CodedError('not_ready', reason, { retryAfter: 2 }));
    }
    this.#waiting.clear();
  }
}
