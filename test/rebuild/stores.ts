import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import type { LongTask } from '../../src/common/progress.ts';
import { decodeV2 } from '../../src/master/ingest/decode.ts';
import { Merger } from '../../src/master/ingest/merger.ts';
import { type RebuiltFacts, rebuildFromRecords } from '../../src/master/rebuild/rebuild-facts.ts';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { EMBEDDED_FACTS } from '../../src/master/store/embedded/facts-engine.ts';
import { LotFlusher } from '../../src/master/store/flusher.ts';
import { Source } from '../faults/facts.ts';
import { connectionRow, unique, v2Body } from '../support/bodies.ts';

export const MINUTE = Date.UTC(2026, 5, 1) / 60_000;
/** Eight days of traffic, so that long connections take wide steps, and a day in which nothing moves. */
export const SPAN = 8 * 1440;
const NOW = (MINUTE + SPAN + 1440) * 60_000;
export const TASK: LongTask = { signal: new AbortController().signal, report: () => {} };

/** Minutes after MINUTE at which a connection began, and its base: history from before the tracker. */
export interface Begun {
  start: number;
  base: number;
}

/** What a connection has moved since its base by a minute after MINUTE. */
export interface Moved {
  conn: number;
  minute: number;
  down: number;
  up: number;
}

/** A master's two stores, fed as they are in a master. */
export class Stores {
  merger: Merger;
  readonly database: string;
  readonly path: string;
  readonly #stream = unique('stream');
  #head: string | null = null;
  /** What the core has counted, in either direction: more than its connections. */
  #totals = 0;

  constructor(directory: string) {
    this.database = join(directory, `${unique('db')}.db`);
    this.path = this.database.replace(/db$/, 'facts.duckdb');
    this.merger = this.#merger();
  }

  #merger(): Merger {
    return new Merger({ path: this.database, now: () => NOW, reserveLocal: false });
  }

  /** The records again, after `merger` was closed. */
  open(): void {
    this.merger = this.#merger();
  }

  /** As a person does it, while no master runs. */
  async rebuild(force = true, task = TASK): Promise<RebuiltFacts> {
    this.merger.close();
    const { database: records, path: facts } = this;
    try {
      return await rebuildFromRecords({ records, facts, engine: EMBEDDED_FACTS, force }, task);
    } finally {
      this.open();
    }
  }

  /** A connection's host is its number, so that half hours, which know no connections, can be told apart. */
  deliver(begun: readonly Begun[], samples: readonly Moved[]): void {
    const { merger } = this;
    const conns = [...new Set(samples.map(({ conn }) => conn))];
    this.#totals += 10_000;
    const body = v2Body('home', {
      stream: this.#stream,
      boot: 'boot-0001',
      prev: this.#head,
      strings: ['', ...conns.map((conn) => `c${conn}`)],
      connections: conns.map((conn, index) => {
        const { start, base } = begun[conn] ?? { start: 0, base: 0 };
        return connectionRow(index + 1, 0, {
          start: (MINUTE + start) * 60_000,
          base: [base, base],
          counted: conn % 3 === 2 ? 0 : 1,
          fields: { host: index + 1 },
        });
      }),
      samples: samples.map(({ conn, minute, down, up }) => [
        conns.indexOf(conn) + 1,
        MINUTE + minute,
        (begun[conn]?.base ?? 0) + down,
        (begun[conn]?.base ?? 0) + up,
        0,
        0,
        0,
      ]),
      totals: [[MINUTE + (samples[0]?.minute ?? 0), this.#totals, this.#totals]],
    });
    const answer = merger.v2(decodeV2(body), null, false);
    expect(answer.rejected).toEqual([]);
    this.#head = String(body.batch);
  }

  async flush<T>(work: (store: EmbeddedFactStore) => Promise<T>): Promise<T> {
    const store = new EmbeddedFactStore({ path: this.path, threads: 1 });
    await store.start();
    const flusher = new LotFlusher({
      source: new Source(
        { alive: true, merger: this.merger },
        () => NOW,
        () => false,
      ),
      facts: store,
      log: silentLogger(),
    });
    try {
      await flusher.start();
      expect(await flusher.drain()).toBe(true);
      while ((await store.rollUp(1000)).more);
      return await work(store);
    } finally {
      await flusher.stop();
      await store.stop();
    }
  }

  /** An older copy of the records in their place. */
  putBack(older: string): void {
    this.merger.close();
    for (const suffix of ['-wal', '-shm']) rmSync(this.database + suffix, { force: true });
    copyFileSync(older, this.database);
    this.open();
  }

  /** Rows of flushed lots are no longer kept. */
  forget(): void {
    this.merger.db.exec(`DELETE FROM pending_facts WHERE lot IN (SELECT lot FROM lots WHERE state = 'flushed');
      UPDATE lots SET state = 'dropped' WHERE state = 'flushed'`);
  }
}
