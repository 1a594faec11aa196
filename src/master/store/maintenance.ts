import type { Component } from '../../common/component.ts';
import { CodedError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { mergeOldMonths, type RetentionPolicy, retainByAge, retainBySize } from './retention.ts';
import type { FactCoverage, FactStore, MissingFacts, TierName } from './store.ts';

const HOUR_MS = 3_600_000;
/** A few minutes past the hour: what agents deliver by the minute is there then, and its half hours are over. */
const PAST_HOUR_MS = 5 * 60_000;
/** Every column is read so often: damage in the middle of a file shows only when it is read. */
export const CHECK_EVERY_MS = 7 * 24 * HOUR_MS;
/**
 * Facts that one step takes into the coarse tier: some 250 ms on two cores, for which flushes wait. An hour of 3,000
 * connections at a time has about as many.
 */
export const ROLLUP_FACTS = 100_000;

/** Minutes since the epoch from which on each tier is kept whole; 0 while retention has taken nothing of it. */
export type TotalsBorders = Readonly<Record<TierName, number>>;

/** What the facts are set against, and is therefore kept as they are. */
export interface TotalsKeeper {
  /** Makes what is older than minutes are kept coarse, and drops what is older than half hours are. Idempotent. */
  keepTotals(borders: TotalsBorders): Promise<void>;
}

export interface MaintenanceOptions {
  facts: FactStore;
  retention: RetentionPolicy;
  totals?: TotalsKeeper;
  log: Logger;
  now?: () => number;
}

/** For readiness; times are epoch ms of the master's clock, 0 = never. */
export interface MaintenanceState {
  /** The last round that did all of its work. */
  lastRoundAt: number;
  /** Why the last round did not; null when it did. */
  error: string | null;
  /** What reading every column found wrong; null when nothing. */
  damage: string | null;
  /** Every column was read whole. */
  checkedAt: number;
  /** The facts use more than their budget though nothing more of them may be dropped. */
  overBudget: boolean;
  coverage: FactCoverage | null;
  missing: readonly MissingFacts[];
}

export interface MaintenanceMetrics {
  rounds: number;
  failures: number;
  rollups: number;
  /** Rows that went, by tier. */
  droppedMinutes: number;
  droppedHalfHours: number;
  /** Rows that merging saved. */
  merged: number;
}

/**
 * Keeps the fact store in order, once an hour: half hours from minutes, then what retention drops and merges, core
 * totals as the facts are, then, once a week, a look at every column.
 *
 * All of it goes by short steps through the store's queue of writes, each asked for when the one before is done: so
 * flushes get their turn, and dying anywhere costs nothing. A round that fails is begun anew with the next hour.
 */
export class Maintenance implements Component {
  readonly name = 'maintenance';
  readonly state: MaintenanceState = {
    lastRoundAt: 0,
    error: null,
    damage: null,
    checkedAt: 0,
    overBudget: false,
    coverage: null,
    missing: [],
  };
  readonly metrics: MaintenanceMetrics = {
    rounds: 0,
    failures: 0,
    rollups: 0,
    droppedMinutes: 0,
    droppedHalfHours: 0,
    merged: 0,
  };
  readonly #facts: FactStore;
  readonly #retention: RetentionPolicy;
  readonly #totals: TotalsKeeper | undefined;
  readonly #log: Logger;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #flight: Promise<void> | undefined;
  /** Up to where totals were brought in line since the start; what came late since then waits until that moves on. */
  #totalsKept: TotalsBorders = { minute: 0, half_hour: 0 };
  #ending = new AbortController();

  constructor({ facts, retention, totals, log, now = Date.now }: MaintenanceOptions) {
    this.#facts = facts;
    this.#retention = retention;
    this.#totals = totals;
    this.#log = log;
    this.#now = now;
  }

  /**
   * Begins a round at once when there was no rollup in the last hour: after days without a master, or when a facts
   * file was put back or cut. Nothing waits for it. Never throws: what fails is in `state`.
   */
  async start(): Promise<void> {
    this.#ending = new AbortController();
    this.#schedule();
    try {
      const before = await this.#facts.watermarkAt(this.#now() - HOUR_MS);
      await this.#look();
      if (before === this.state.coverage?.watermark) void this.run();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Lets the step under way end, and none begin. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#ending.abort();
    await this.#flight;
  }

  /** Lots were cut, or recorded as gaps: readiness tells of it from now on. Never throws. */
  lost(): void {
    this.#look().catch((error: unknown) =>
      this.#log.error({ err: error }, 'what is missing of the facts could not be read'),
    );
  }

  /** What readiness tells of the facts, read anew. */
  async #look(): Promise<void> {
    this.state.coverage = await this.#facts.coverage();
    this.state.missing = await this.#facts.missing();
    this.state.checkedAt = await this.#facts.checkedAt();
  }

  /** A round now, or the one under way. Never rejects: what failed is in `state`. */
  run(): Promise<void> {
    this.#flight ??= this.#round().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  #schedule(): void {
    const delay = HOUR_MS - ((this.#now() - PAST_HOUR_MS) % HOUR_MS);
    this.#timer = setTimeout(() => {
      void this.run();
      this.#schedule();
    }, delay);
    this.#timer.unref();
  }

  get #goesOn(): boolean {
    return !this.#ending.signal.aborted;
  }

  async #round(): Promise<void> {
    const begun = this.#now();
    const wasWell = this.state.error === null;
    const jobs = [
      () => this.#rollUp(),
      () => this.#dropOld(begun),
      () => this.#dropTooMuch(begun),
      () => this.#keepTotals(),
      () => this.#merge(begun),
    ];
    const inOrder = await this.#attempt(async () => {
      for (const job of jobs) if (this.#goesOn) await job();
    });
    // What failed for the first time may have met damage: reading everything tells.
    const known = await this.#attempt(async () => {
      if (this.#goesOn) await this.#check(begun, wasWell && !inOrder);
      if (this.#goesOn) await this.#look();
    });
    if (!this.#goesOn || !inOrder || !known) return;
    this.metrics.rounds++;
    Object.assign(this.state, { lastRoundAt: begun, error: null });
  }

  /** Whether it was done; what it throws while it is being stopped is no failure. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (this.#goesOn) this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    this.metrics.failures++;
    this.state.error = error instanceof Error ? error.message : String(error);
    this.#log.error({ err: error }, 'the facts could not be kept in order; it is tried again next hour');
  }

  async #rollUp(): Promise<void> {
    for (let more = true; more && this.#goesOn; ) {
      const step = await this.#facts.rollUp(ROLLUP_FACTS);
      if (step.rows > 0) this.metrics.rollups++;
      more = step.more;
    }
  }

  async #dropOld(now: number): Promise<void> {
    const dropped = await retainByAge(this.#facts, this.#retention, now);
    this.#count(dropped, 'facts older than their retention were dropped');
  }

  async #dropTooMuch(now: number): Promise<void> {
    const { budget } = this.#retention;
    if (budget === null) return;
    const dropped = await retainBySize(this.#facts, budget, now);
    this.#count(dropped, 'the oldest facts were dropped, to stay within --facts-budget');
    // While something goes, it may only be that its space is not free yet: that shows in the next round.
    const stuck = dropped.over && dropped.minute + dropped.half_hour === 0;
    if (stuck && !this.state.overBudget) {
      this.#log.warn(
        { budget },
        'the facts use more than --facts-budget, and no more of them can be dropped',
      );
    }
    this.state.overBudget = stuck;
  }

  /** After the facts, and from what is gone of them: minutes of which facts are kept must have totals by the minute. */
  async #keepTotals(): Promise<void> {
    if (this.#totals === undefined) return;
    const { minute, half_hour } = (await this.#facts.coverage()).tiers;
    const borders = { minute: minute.wholeFrom, half_hour: half_hour.wholeFrom };
    const done = this.#totalsKept;
    if (borders.minute === done.minute && borders.half_hour === done.half_hour) return;
    await this.#totals.keepTotals(borders);
    this.#totalsKept = borders;
  }

  #count({ minute, half_hour }: { minute: number; half_hour: number }, message: string): void {
    this.metrics.droppedMinutes += minute;
    this.metrics.droppedHalfHours += half_hour;
    if (minute + half_hour > 0) this.#log.info({ minutes: minute, half_hours: half_hour }, message);
  }

  async #merge(now: number): Promise<void> {
    this.metrics.merged += await mergeOldMonths(this.#facts, now, () => this.#goesOn);
  }

  /** Reads every column when it is time, or at once. */
  async #check(now: number, atOnce: boolean): Promise<void> {
    if (!atOnce && now - (await this.#facts.checkedAt()) < CHECK_EVERY_MS) return;
    try {
      await this.#facts.check(this.#ending.signal);
      this.state.damage = null;
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'file_damaged') throw error;
      this.state.damage = error.message;
      this.#log.error({ err: error }, 'the facts file is damaged');
    }
  }
}
