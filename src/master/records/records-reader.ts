import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Component } from '../../common/component.ts';
import { CodedError } from '../../common/errors.ts';
import type { Span } from '../query/gap-state.ts';
import { callOff, createSignal } from './cancellation.ts';
import type { Answer, Question, WorkerInput } from './messages.ts';
import type { OperationArgs, OperationName, OperationResult } from './operations.ts';
import type {
  AgentRow,
  ConnectionsPage,
  ConnectionsQuery,
  CoreTotalsRow,
  ExportedRecords,
  ExportPart,
  FirstRunRow,
  GapRow,
  LostRow,
  NumberedRecord,
  Period,
  Records,
  SelectedConnections,
  WaitingRow,
} from './query.ts';

/** The sources run as they are in development, compiled in the package: the worker has its neighbour's ending. */
const WORKER = new URL(`./worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

export interface RecordsReaderOptions {
  /** The records database, which exists and is migrated when the reader starts. */
  readonly path: string;
  /** Time for one answer, milliseconds; 10 s. */
  readonly timeoutMs?: number;
  /** Questions that may wait; 32. */
  readonly maxWaiting?: number;
}

interface Job {
  readonly question: Question;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Time for a question that was called off to let go of the thread, milliseconds. */
const GRACE_MS = 1000;

/**
 * Reads the records in a thread of its own, so that a scan never holds up HTTP. One question at a time; one that
 * takes too long is answered `query_timeout` and called off, and a thread that does not let go of it is replaced. Beyond
 * those that may wait, each is answered `too_many_requests`.
 */
export class RecordsReader implements Component, Records {
  readonly name = 'records-reader';
  readonly #options: Required<RecordsReaderOptions>;
  readonly #waiting: Job[] = [];
  readonly #signal = createSignal();
  #running: { job: Job; timer: NodeJS.Timeout } | null = null;
  #worker: Worker | null = null;
  #nextId = 1;
  #timeouts = 0;
  #started = false;

  constructor(options: RecordsReaderOptions) {
    this.#options = { timeoutMs: 10_000, maxWaiting: 32, ...options };
  }

  start(): void {
    this.#started = true;
    this.#spawn();
  }

  async stop(): Promise<void> {
    this.#started = false;
    const worker = this.#worker;
    this.#worker = null;
    this.#failAll(new CodedError('not_ready', 'the master is stopping'));
    await worker?.terminate();
  }

  /** Length and bound of the queue, and how many questions were given up. */
  get state(): { waiting: number; busy: boolean; timeouts: number } {
    return { waiting: this.#waiting.length, busy: this.#running !== null, timeouts: this.#timeouts };
  }

  connections(query: ConnectionsQuery): Promise<ConnectionsPage> {
    return this.#ask('connections', query);
  }

  connection(agentId: string, id: string): Promise<NumberedRecord | null> {
    return this.#ask('connection', agentId, id);
  }

  exportConnections(query: SelectedConnections, part: ExportPart | null): Promise<ExportedRecords> {
    return this.#ask('exportConnections', query, part);
  }

  agents(agentId?: string): Promise<AgentRow[]> {
    return this.#ask('agents', agentId ?? null);
  }

  gaps(from: number, to: number, agentId?: string): Promise<GapRow[]> {
    return this.#ask('gaps', from, to, agentId ?? null);
  }

  commonGaps(from: number, to: number, agents: readonly string[] | null): Promise<Span[]> {
    return this.#ask('commonGaps', from, to, agents);
  }

  lost(from: number, to: number, agentId?: string): Promise<LostRow[]> {
    return this.#ask('lost', from, to, agentId ?? null);
  }

  firstRuns(agentId?: string): Promise<FirstRunRow[]> {
    return this.#ask('firstRuns', agentId ?? null);
  }

  coreTotals(periods: readonly Period[], agentId?: string): Promise<CoreTotalsRow[]> {
    return this.#ask('coreTotals', periods, agentId ?? null);
  }

  waiting(): Promise<WaitingRow[]> {
    return this.#ask('waiting');
  }

  #ask<N extends OperationName>(operation: N, ...args: OperationArgs<N>): Promise<OperationResult<N>> {
    if (!this.#started) return Promise.reject(new CodedError('not_ready', 'the records are not open'));
    if (this.#waiting.length >= this.#options.maxWaiting) {
      const message = `${this.#options.maxWaiting} questions to the records wait already; one is answered at once`;
      return Promise.reject(new CodedError('too_many_requests', message, { retryAfter: 1 }));
    }
    return new Promise((resolve, reject) => {
      const question = { id: this.#nextId++, operation, args };
      this.#waiting.push({ question, resolve: resolve as (value: unknown) => void, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#running !== null || !this.#started) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    const worker = this.#worker ?? this.#spawn();
    const timer = setTimeout(() => this.#callOff(), this.#options.timeoutMs);
    this.#running = { job, timer };
    worker.postMessage(job.question);
  }

  #spawn(): Worker {
    const input: WorkerInput = { path: this.#options.path, signal: this.#signal };
    const worker = new Worker(WORKER, { workerData: input });
    this.#worker = worker;
    worker.on('message', (answer: Answer) => {
      if (worker === this.#worker) this.#settle(answer);
    });
    worker.on('error', (error) => this.#lose(worker, error as Error));
    worker.on('exit', () => this.#lose(worker, new Error('the reading thread ended')));
    return worker;
  }

  #settle(answer: Answer): void {
    const running = this.#running;
    if (running === null || running.job.question.id !== answer.id) return;
    clearTimeout(running.timer);
    this.#running = null;
    if (answer.ok) running.job.resolve(answer.value);
    else running.job.reject(asError(answer));
    this.#next();
  }

  #callOff(): void {
    const running = this.#running;
    if (running === null) return;
    this.#timeouts++;
    callOff(this.#signal, running.job.question.id);
    const seconds = this.#options.timeoutMs / 1000;
    running.job.reject(new CodedError('query_timeout', `no answer within ${seconds} s`));
    running.timer = setTimeout(() => this.#replace(), GRACE_MS);
  }

  /** The thread is left to end by itself, as soon as its statement does; questions go on in a new one. */
  #replace(): void {
    const worker = this.#worker;
    this.#running = null;
    this.#worker = null;
    void worker?.terminate();
    this.#next();
  }

  #lose(worker: Worker, error: Error): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    const running = this.#running;
    if (running === null) return;
    clearTimeout(running.timer);
    this.#running = null;
    running.job.reject(error);
    this.#next();
  }

  #failAll(error: CodedError): void {
    if (this.#running !== null) {
      clearTimeout(this.#running.timer);
      this.#running.job.reject(error);
      this.#running = null;
    }
    for (const job of this.#waiting.splice(0)) job.reject(error);
  }
}

function asError(answer: Answer & { ok: false }): Error {
  if (answer.code === null) return new Error(answer.message);
  return new CodedError(answer.code, answer.message, { details: answer.details });
}
