import { afterEach, beforeEach, expect, it } from 'vitest';
import { T } from '../src/agent/books/books.test-support.ts';
import { JournalBench } from '../src/agent/journal/journal.test-support.ts';
import type { Batch } from '../src/agent/journal/outbox.ts';
import { Merger } from '../src/master/ingest/merger.ts';
import type { SyncAnswer } from '../src/protocol/v2.ts';
import { v2Body } from './support/bodies.ts';

let agent: JournalBench;
let master: Merger;
beforeEach(() => {
  agent = new JournalBench();
  master = new Merger({ path: ':memory:', now: () => T + 600_000, reserveLocal: false });
});
afterEach(() => {
  agent.remove();
  master.close();
});

/** A batch on its way there and back. */
function sync(): { batch: Batch; answer: SyncAnswer } {
  const batch = agent.outbox.next(5000);
  agent.outbox.sending(batch);
  const { id, prev, inflight, rows, strings } = batch;
  const stream = { stream: 'stream-1', boot: 'boot-0001' };
  const body = v2Body('a', { ...stream, batch: id, prev, inflight, strings, ...rows });
  const answer = master.v2(body as never, null, false);
  expect(answer.ok).toBe(true);
  agent.ack.ok(batch, answer, 0);
  return { batch, answer };
}

const record = () =>
  master.db.prepare('SELECT conn_download AS down, base_down AS base FROM connections').get();
/** Booked of connections, by minute after 12:30. */
const booked = () =>
  master.db
    .prepare(
      `SELECT bucket - ${T / 60_000} AS m, sum(down) FROM pending_facts WHERE kind = 0 AND down > 0 GROUP BY 1 ORDER BY 1`,
    )
    .raw()
    .all();
const horizon = (ms: number) =>
  master.db.prepare("UPDATE meta SET value = ? WHERE key = 'horizon'").run(String(ms));

/** A journal of which the master knows the stream and not the connection, whose row counts as taken. */
function damaged(): void {
  agent.shows(1, [0, 0], {});
  sync();
  agent.shows(10, [100, 0], { c: [100, 0] });
  agent.journal.db.exec('UPDATE connections SET dirty = 0; UPDATE samples SET dirty = 0');
  agent.shows(70, [300, 0], { c: [300, 0] });
}

it('a connection that a journal took for known is known after two batches, every byte booked once', () => {
  damaged();
  expect(sync().answer.rejected.map(([, , code]) => code)).toContain('unknown-connection');
  expect(record()).toBeUndefined();
  const { batch, answer } = sync();
  expect(batch.rows.connections).toHaveLength(1);
  expect(answer.rejected).toEqual([]);
  expect(record()).toEqual({ down: 300, base: 0 });
  agent.shows(130, [450, 0], { c: [450, 0] });
  expect(sync().answer.rejected).toEqual([]);
  expect(record()).toEqual({ down: 450, base: 0 });
  expect((booked() as number[][]).reduce((sum, [, down = 0]) => sum + down, 0)).toBe(450);
});

it('what may be booked already stays refused, and what comes after it is taken', () => {
  damaged();
  agent.journal.db.exec('UPDATE samples SET flags = flags | 1 WHERE dirty = 1');
  horizon(T + 3_600_000);
  expect(sync().answer.rejected.map(([, , code]) => code)).toContain('unknown-connection');
  const second = sync().answer.rejected;
  expect(new Set(second.map(([, , code]) => code))).toEqual(new Set(['too-old']));
  expect(record()).toBeUndefined();
  // Nothing goes round and round: the row waits for the connection's next sample.
  expect(sync().batch.count).toBe(0);
  agent.shows(130, [450, 0], { c: [450, 0] });
  expect(sync().answer.rejected.filter(([, , code]) => code === 'unknown-connection')).toEqual([]);
  expect(record()).toMatchObject({ down: 450 });
});
