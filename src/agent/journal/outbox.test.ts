import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Table } from '../books/books.test-support.ts';
import { JournalBench } from './journal.test-support.ts';
import type { Batch } from './outbox.ts';

let b: JournalBench;
beforeEach(() => {
  b = new JournalBench();
  b.shows(0, [0, 0], {});
});
afterEach(() => b.remove());

/** Minutes in which `count` connections move, all of them in each; then all of them close. */
function fill(count: number, minutes: number): void {
  let bytes = 0;
  for (let minute = 0; minute < minutes; minute++) {
    bytes += 10;
    const table: Table = {};
    for (let i = 0; i < count; i++) table[`c${i}`] = [bytes, 0];
    b.shows(1 + minute * 60, [bytes * count, 0], table);
  }
  b.shows(minutes * 60 + 1, [bytes * count, 0], {});
}

function drain(rows: number): Batch[] {
  const batches: Batch[] = [];
  for (;;) {
    const batch = b.delivers(rows);
    if (batch.count === 0) return batches;
    batches.push(batch);
    if (batches.length > 10_000) throw new Error('it does not come to an end');
  }
}

describe('batches', () => {
  it.each([1, 2, 3, 10, 64, 5000])('of %i rows bring every row once, and closes after samples', (rows) => {
    fill(40, 5);
    const closed = new Set<string>();
    const seen = { samples: 0, connections: 0, totals: 0 };
    for (const batch of drain(rows)) {
      // A sample or a close may bring its connection's row along where there is room for one row only.
      expect(batch.count).toBeLessThanOrEqual(Math.max(rows, 3));
      expect(batch.count).toBe(Object.values(batch.rows).reduce((sum, array) => sum + array.length, 0));
      for (const [id] of batch.rows.samples) expect(closed).not.toContain(batch.strings[Number(id)]);
      for (const [id] of batch.rows.closed) closed.add(batch.strings[Number(id)] ?? '');
      seen.samples += batch.rows.samples.length;
      seen.connections += batch.rows.connections.length;
      seen.totals += batch.rows.totals.length;
    }
    expect(closed.size).toBe(40);
    expect(seen).toEqual({ samples: 200, connections: 40, totals: 5 });
    expect(b.outbox.backlog()).toBe(0);
  });

  it('are mostly samples where connections are known already', () => {
    fill(40, 30);
    b.delivers(300);
    expect(b.delivers(300).rows.samples.length).toBeGreaterThanOrEqual(200);
  });
});

describe('the backlog', () => {
  it('counts samples and closes that wait', () => {
    fill(4, 3);
    expect(b.outbox.backlog()).toBe(4 * 3 + 4);
    b.delivers(5000);
    expect(b.outbox.backlog()).toBe(0);
  });
});
