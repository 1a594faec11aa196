import { Backoff } from '../../common/backoff.ts';
import type { Component } from '../../common/component.ts';
import { CodedError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { LedgerLot, LotSource } from './lot-source.ts';
import { alignFacts } from './startup.ts';
import { type Fact, type FactStore, type Lot, MAX_CHUNK } from './store.ts';

export interface LotFlusherOptions {
  source: LotSource;
  facts: FactStore;
  log: Logger;
  /** Told after lots were cut or recorded as gaps: the store lacks something that it may never get. */
  onLoss?: () => void;
  /** Milliseconds between two flushes when nothing hurries. */
  intervalMs?: number;
  /** Rows waiting that make a flush due at once. */
  hurryRows?: number;
  /** Least milliseconds between two flushes asked for by queries. */
  queryIntervalMs?: number;
  /** Longest that a query waits for its flush; then it is answered from what there is. */
  queryPatienceMs?: number;
  /** The same while another one waits already: a crowd must not be held up by what one of them waits for. */
  crowdPatienceMs?: number;
  now?: () => number;
  backoff?: Backoff;
}

/** For readiness and `meta.fresh_to`; times are epoch ms of the master's clock, 0 = never. */
export interface FlusherState {
  ok: boolean;
  lastFlushAt: number;
  /** Everything that was merged before is in the fact store. */
  freshTo: number;
  /** Rows known to wait. */
  waiting: number;
  error: string | null;
}

export interface FlusherMetrics {
  flushes: number;
  failures: number;
  lots: number;
  rows: number;
  /** Lots that were in the store already: the process had died between commit and confirmation. */
  repeated: number;
  gaps: number;
  cuts: number;
  /** Milliseconds spent in flushes. */
  busyMs: number;
}

/** Queries have flushes that take longer as much less often: each costs as much as a question. */
const LONG_FLUSH_MS = 100;

/**
 * Carries sealed lots from the records store to the fact store, oldest first.
 *
 * Invariant: a lot is appended only when all older ones are there or recorded as gaps, so the two stores can be
 * compared by their newest common lot. Dying anywhere costs nothing: a lot is confirmed to its source only after
 * the fact store has committed it, and appending it again changes nothing. A fact store that fails costs
 * freshness, never data; after a failure both sides are compared anew, as at a start.
 */
export class LotFlusher implements Component {
  readonly name = 'flusher';
  readonly state: FlusherState = { ok: false, lastFlushAt: 0, freshTo: 0, waiting: 0, error: null };
  readonly metrics: FlusherMetrics = {
    flushes: 0,
    failures: 0,
    lots: 0,
    rows: 0,
    repeated: 0,
    gaps: 0,
    cuts: 0,
    busyMs: 0,
  };
  readonly #options: Required<Omit<LotFlusherOptions, 'backoff'>>;
  readonly #backoff: Backoff;
  #timer: NodeJS.Timeout | undefined;
  #flight: Promise<void> | undefined;
  #begunAt = 0;
  /** Milliseconds that the last flush took. */
  #tookMs = 0;
  /** Queries that wait for a flush. */
  #asking = 0;
  #aligned = false;
  #backlog: LedgerLot[] = [];
  #running = false;

  constructor(options: LotFlusherOptions) {
    this.#options = {
      intervalMs: 15_000,
      hurryRows: 5000,
      queryIntervalMs: 1000,
      queryPatienceMs: 2000,
      crowdPatienceMs: 50,
      now: Date.now,
      onLoss: () => {},
      ...options,
    };
    this.#backoff = options.backoff ?? new Backoff(1000, 60_000);
  }

  /**
   * Compares the two stores before anything is served. Throws only what waiting cannot heal (a fact store that
   * belongs to other records); any other failure is retried in the background.
   */
  async start(): Promise<void> {
    this.#running = true;
    try {
      await this.#align();
    } catch (error) {
      if (error instanceof CodedError && error.status === 0) throw error;
      this.#failed(error);
      this.#schedule(this.#backoff.next());
      return;
    }
    this.#schedule(0);
  }

  /** Ends the flight under way at the next border between lots; what waits is flushed at the next start. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    clearTimeout(this.#timer);
    await this.#flight;
  }

  /** Flushes all that waits now, and says whether it is all there: for a shutdown in order, before `stop`. */
  async drain(): Promise<boolean> {
    await this.#flight;
    await this.#fly();
    return this.state.ok;
  }

  /** Tells how many rows wait; enough of them make a flush due at once, unless the fact store is failing. */
  poke(waiting: number): void {
    this.state.waiting = waiting;
    if (waiting >= this.#options.hurryRows && this.#backoff.attempts === 0) this.#launch();
  }

  /**
   * Makes what waits visible to a query, at most once a second, and less often where flushing takes long. Never rejects
   * and never waits for long: the answer says by `state.freshTo` how far it sees.
   */
  async flushNow(): Promise<void> {
    if (!this.#running) return;
    const { now, queryIntervalMs, queryPatienceMs, crowdPatienceMs } = this.#options;
    const failing = this.#backoff.attempts > 0;
    const apart = queryIntervalMs * Math.max(1, this.#tookMs / LONG_FLUSH_MS);
    if (!this.#flight && !failing && now() - this.#begunAt >= apart) this.#launch();
    if (!this.#flight) return;
    let timer: NodeJS.Timeout | undefined;
    const patienceMs = this.#asking > 0 ? crowdPatienceMs : queryPatienceMs;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    this.#asking++;
    await Promise.race([this.#flight, patience]);
    this.#asking--;
    clearTimeout(timer);
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#running) this.#timer = setTimeout(() => this.#launch(), delayMs);
  }

  #launch(): void {
    if (this.#running) void this.#fly();
  }

  /** Single flight: whoever comes while one is under way joins it. Never rejects. */
  #fly(): Promise<void> {
    this.#flight ??= this.#flush().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #flush(): Promise<void> {
    const begun = this.#options.now();
    this.#begunAt = begun;
    let delay = this.#options.intervalMs;
    try {
      if (!this.#aligned) await this.#align();
      this.state.waiting = await this.#options.source.seal();
      if (await this.#flushSealed()) this.#succeeded(begun);
    } catch (error) {
      this.#failed(error);
      delay = this.#backoff.next();
    } finally {
      this.#tookMs = this.#options.now() - begun;
      this.metrics.busyMs += this.#tookMs;
      this.#schedule(delay);
    }
  }

  async #align(): Promise<void> {
    const { source, facts, log } = this.#options;
    const found = await alignFacts(source, facts);
    if (found.cut) {
      this.metrics.cuts++;
      log.warn(
        { above: found.common, facts: found.removed, exact: found.exact },
        'facts of lots that the records do not know were cut; agents will send them again',
      );
    }
    if (found.gaps.length > 0) {
      this.metrics.gaps += found.gaps.length;
      log.warn(
        { first: found.gaps[0]?.lot, last: found.gaps.at(-1)?.lot },
        'facts of these lots are missing and no longer kept',
      );
    }
    this.#backlog = found.flush;
    this.#aligned = true;
    if (found.cut || found.gaps.length > 0) this.#options.onLoss();
  }

  /** Returns false when it was stopped before the end. */
  async #flushSealed(): Promise<boolean> {
    for (let lot = this.#backlog[0]; lot; lot = this.#backlog[0]) {
      if (!this.#running) return false;
      if (lot.kept) await this.#carry(lot);
      else await this.#recordGap(lot);
      this.#backlog.shift();
    }
    let newest = 0;
    for (;;) {
      const lots = await this.#options.source.sealed();
      if (lots.length === 0) return true;
      for (const lot of lots) {
        if (!this.#running) return false;
        if (lot.lot <= newest) throw new Error(`lot ${lot.lot} came again after lot ${newest} was confirmed`);
        await this.#carry(lot);
        newest = lot.lot;
      }
    }
  }

  async #carry(lot: Lot): Promise<void> {
    const { source, facts } = this.#options;
    const added = await facts.append(lot, this.#chunks(lot));
    await source.flushed(lot.lot);
    this.metrics.lots++;
    if (added) this.metrics.rows += lot.rows;
    else this.metrics.repeated++;
    this.state.waiting = Math.max(0, this.state.waiting - lot.rows);
  }

  async #recordGap(lot: Lot): Promise<void> {
    await this.#options.facts.recordGap([lot]);
    this.metrics.gaps++;
    this.#options.onLoss();
  }

  async *#chunks(lot: Lot): AsyncGenerator<Fact[]> {
    for (let offset = 0; offset < lot.rows; offset += MAX_CHUNK) {
      yield await this.#options.source.rows(lot.lot, offset, MAX_CHUNK);
    }
  }

  #succeeded(begun: number): void {
    this.metrics.flushes++;
    this.#backoff.reset();
    Object.assign(this.state, { ok: true, lastFlushAt: begun, freshTo: begun, waiting: 0, error: null });
  }

  #failed(error: unknown): void {
    this.metrics.failures++;
    this.#aligned = false;
    this.state.ok = false;
    this.state.error = error instanceof Error ? error.message : String(error);
    this.#options.log.error({ err: error }, 'the fact store could not be fed; it is tried again');
  }
}
