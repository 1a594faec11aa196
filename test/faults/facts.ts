import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Backoff } from '../../src/common/backoff.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { LotFlusher } from '../../src/master/store/flusher.ts';
import type { LedgerLot, LotSource } from '../../src/master/store/lot-source.ts';
import type { Fact, Lot } from '../../src/master/store/store.ts';
import type { TestMaster } from './master.ts';
import type { Random } from './random.ts';

/** The records' side of the flush, over the merger of this very process; it can fail between any two calls. */
export class Source implements LotSource {
  readonly #master: Pick<TestMaster, 'alive' | 'merger'>;
  readonly #fail: () => boolean;
  readonly #now: () => number;

  constructor(master: Pick<TestMaster, 'alive' | 'merger'>, now: () => number, fail: () => boolean) {
    this.#master = master;
    this.#now = now;
    this.#fail = fail;
  }

  #lots() {
    if (!this.#master.alive || this.#fail()) throw new Error('the schedule ends it here');
    return this.#master.merger.lots;
  }

  async storeId(): Promise<string> {
    return this.#lots().storeId();
  }

  async lots(limit: number, below: number): Promise<LedgerLot[]> {
    return this.#lots().lots(limit, below);
  }

  async seal(): Promise<number> {
    const lots = this.#lots();
    while (lots.sealOne(this.#now()) > 0);
    return lots.waiting();
  }

  async sealed(): Promise<Lot[]> {
    return this.#lots().sealed();
  }

  async rows(lot: number, offset: number, limit: number): Promise<Fact[]> {
    return this.#lots().rows(lot, offset, limit);
  }

  async flushed(lot: number): Promise<void> {
    this.#lots().flushed(lot);
  }
}

/** A real fact store, fed by the real flusher, whose failures are the schedule's. */
export class TestFacts {
  readonly #path: string;
  readonly #master: TestMaster;
  readonly #random: Random;
  /** Of their own, so that a seed tells the same story whatever is rolled up. */
  readonly #rollups: Random;
  readonly #now: () => number;
  #store!: EmbeddedFactStore;
  #flusher!: LotFlusher;
  #merger: unknown;
  #copies: Buffer[] = [];
  #failing = false;

  constructor(path: string, master: TestMaster, random: Random, rollups: Random, now: () => number) {
    this.#path = path;
    this.#master = master;
    this.#random = random;
    this.#rollups = rollups;
    this.#now = now;
  }

  get store(): EmbeddedFactStore {
    return this.#store;
  }

  async start(): Promise<void> {
    this.#store = new EmbeddedFactStore({ path: this.#path, threads: 1, memoryLimitMb: 128 });
    await this.#store.start();
    await this.#newFlusher();
  }

  /** A master that starts compares the two stores anew. */
  async #newFlusher(): Promise<void> {
    this.#merger = this.#master.merger;
    this.#flusher = new LotFlusher({
      source: new Source(this.#master, this.#now, () => this.#failing && this.#random.chance(0.2)),
      facts: this.#store,
      log: silentLogger(),
      intervalMs: 2 ** 30,
      backoff: new Backoff(2 ** 29, 2 ** 30, () => 1),
    });
    await this.#flusher.start();
    await this.#flusher.drain();
  }

  async step(faults: ReadonlySet<string>): Promise<void> {
    const random = this.#random;
    this.#failing = faults.has('facts-failing');
    if (!this.#master.alive) return;
    if (this.#merger !== this.#master.merger) await this.#restart(null);
    else if (random.chance(0.3)) await this.#flusher.drain();
    if (this.#rollups.chance(0.3)) await this.#store.rollUp(this.#rollups.pick([1, 20, 1000]));
    if (faults.has('facts-restored')) {
      if (random.chance(0.06)) await this.#restart(() => this.#copies.push(readFileSync(this.#path)));
      if (this.#copies.length > 0 && random.chance(0.05))
        await this.#restart(() => this.#put(random.pick(this.#copies)));
    }
    if (faults.has('facts-deleted') && random.chance(0.05)) {
      // Some of its lots cannot come again.
      if (random.chance(0.5)) this.#master.forgetLots();
      await this.#restart(() => this.#put(null));
    }
  }

  #put(content: Buffer | null): void {
    for (const suffix of ['', '.wal']) {
      if (existsSync(this.#path + suffix)) rmSync(this.#path + suffix);
    }
    if (content !== null) writeFileSync(this.#path, content);
  }

  async #restart(between: (() => void) | null): Promise<void> {
    await this.#flusher.stop();
    if (between !== null) {
      await this.#store.stop();
      between();
      this.#store = new EmbeddedFactStore({ path: this.#path, threads: 1, memoryLimitMb: 128 });
      await this.#store.start();
    }
    await this.#newFlusher();
  }

  /** Everything that was merged is in the fact store, and in both of its tiers. */
  async quiesce(): Promise<void> {
    this.#failing = false;
    await this.#restart(null);
    if (!(await this.#flusher.drain())) throw new Error(`the flush failed: ${this.#flusher.state.error}`);
    while ((await this.#store.rollUp(20)).more);
  }

  async stop(): Promise<void> {
    await this.#flusher?.stop();
    await this.#store?.stop();
  }
}
