import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SyncAnswer } from '../../protocol/v2.ts';
import { CoreTable, T, type Table } from '../books/books.test-support.ts';
import { Books } from '../books/books.ts';
import { Acknowledger } from './acknowledge.ts';
import { Journal } from './journal.ts';
import { type Batch, Outbox } from './outbox.ts';

export const DAY = 86_400;

/** A journal on a file of its own, with books that fill it and a master that takes what it sends. */
export class JournalBench {
  readonly directory = mkdtempSync(join(tmpdir(), 'journal-'));
  readonly path = join(this.directory, 'agent.db');
  journal!: Journal;
  books!: Books;
  outbox!: Outbox;
  ack!: Acknowledger;
  #core = new CoreTable();
  #seconds = 0;

  constructor(agentId = 'a') {
    this.open(agentId);
  }

  open(agentId?: string): this {
    this.journal = new Journal({ path: this.path, agentId });
    const { state, open } = this.journal.load();
    this.books = new Books({ state, open, recall: (id) => this.journal.recall(id) });
    this.outbox = new Outbox(this.journal);
    this.ack = new Acknowledger(this.journal);
    this.#core = new CoreTable();
    return this;
  }

  restarts(): this {
    this.journal.close();
    return this.open();
  }

  /** A snapshot at `T + seconds`, written at once. */
  shows(seconds: number, totals: readonly [number, number], table: Table): this {
    this.see(seconds, totals, table);
    this.write();
    return this;
  }

  see(seconds: number, totals: readonly [number, number], table: Table): this {
    this.#seconds = seconds;
    this.books.snapshot(this.#core.diff(T + seconds * 1000, totals, table));
    return this;
  }

  write(): void {
    this.journal.flush(this.books.changes(), T + this.#seconds * 1000);
    this.books.committed();
  }

  answer(batch: Batch, values: Partial<SyncAnswer> = {}): SyncAnswer {
    const limits = { rows: 5000, bytes: 1 };
    return {
      ok: true,
      head_before: batch.prev,
      accepted: 0,
      rejected: [],
      server_time: 0,
      limits,
      ...values,
    };
  }

  /** One batch is sent and taken. */
  delivers(rows = 5000): Batch {
    const batch = this.outbox.next(rows);
    this.outbox.sending(batch);
    this.ack.ok(batch, this.answer(batch), T + this.#seconds * 1000);
    return batch;
  }

  /** The master turns out to be at another state. */
  isRefused(headBefore: string | null): void {
    const batch = this.outbox.next(5000);
    this.outbox.sending(batch);
    this.ack.notOk(batch, headBefore);
  }

  /** Samples of a connection: minute (against 12:30), download, flags, dirty. */
  samples(id: string): number[][] {
    return this.journal.db
      .prepare(
        `SELECT minute - ${T / 60_000}, down, flags, samples.dirty FROM samples JOIN connections ON key = conn WHERE id = ?
         ORDER BY minute`,
      )
      .raw()
      .all(id) as number[][];
  }

  rows(sql: string): Record<string, unknown>[] {
    return this.journal.db.prepare(sql).all() as Record<string, unknown>[];
  }

  count(table: string): number {
    return this.journal.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  }

  remove(): void {
    this.journal.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
