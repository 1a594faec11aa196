import type { Component } from '../../common/component.ts';
import type { Logger } from '../../common/logger.ts';
import type { Next, SyncEngine } from './engine.ts';
import { drawPhase, holdsRunningMinute, untilNext } from './pace.ts';
import type { Transport } from './transport.ts';

export interface SyncerOptions {
  engine: SyncEngine;
  transport: Transport;
  /** Seconds. */
  interval: number;
  /** Brings the journal up to date before a batch is chosen; `settle`: the running minute, too. */
  flush: (settle: boolean) => void;
  logger: Logger;
  /** The agent's clock, epoch ms. */
  now: () => number;
  random?: () => number;
}

/** Longest that stopping waits for a request under way and for the last delivery: a master may be out of reach. */
const STOP_MS = 3000;

/** Runs the engine's steps: one request at a time, paced by its answers, woken early by `poke()`. */
export class Syncer implements Component {
  readonly name = 'sync';
  readonly #options: SyncerOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  #stopped = true;
  /** Stopped without waiting further: the journal may be closed under what is still under way. */
  #abandoned = false;
  /** Where in the minute this agent syncs, ms. */
  readonly #phase: number;
  /** The first sync and the last one take all there is; in between the running minute may have to wait. */
  #began = false;

  constructor(options: SyncerOptions) {
    this.#options = options;
    this.#phase = drawPhase(options.random ?? Math.random);
  }

  start(): void {
    this.#stopped = false;
    // After a start agents must not all come at once (an outage is spread by the backoff).
    const random = this.#options.random ?? Math.random;
    this.#schedule(random() * this.#options.interval * 1000);
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.poke(), ms);
  }

  /** Steps now, unless a step is under way. */
  poke(): void {
    if (this.#running !== null || this.#stopped) return;
    clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      const next = await this.#step();
      if (this.#stopped) return;
      if (next.kind === 'now') continue;
      this.#began = true;
      const { interval, now } = this.#options;
      this.#schedule(next.kind === 'after' ? next.ms : untilNext(interval * 1000, now(), this.#phase));
      return;
    }
  }

  async #step(): Promise<Next> {
    try {
      const { flush, engine, interval } = this.#options;
      const hold = this.#began && !this.#stopped && holdsRunningMinute(interval * 1000);
      flush(!hold);
      return await engine.step(hold);
    } catch (error) {
      // The journal's disk: nothing is acknowledged, everything stays where it was.
      if (!this.#abandoned) this.#options.logger.error({ err: error }, 'sync could not use the journal');
      return { kind: 'after', ms: 10_000 };
    }
  }

  /** Ends the loop after one last delivery attempt, so that a clean stop leaves as little behind as possible. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MS);
    });
    await Promise.race([patience, this.#deliverOnce()]);
    clearTimeout(timer);
    this.#abandoned = true;
    await this.#options.transport.close();
  }

  async #deliverOnce(): Promise<void> {
    await this.#running;
    await this.#step();
  }
}
