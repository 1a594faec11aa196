import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Table } from '../books/books.test-support.ts';
import { relieve } from './budget.ts';
import { JournalBench } from './journal.test-support.ts';

let b: JournalBench;
beforeEach(() => {
  b = new JournalBench();
});
afterEach(() => b.remove());

const HOURS = 3;

/** For three hours, a sample a minute of `open` and of `ids`, which then close; 1,000 bytes a minute each. */
function fill(ids: string[]): void {
  b.shows(0, [0, 0], { open: [0, 0] });
  for (let minute = 1; minute <= HOURS * 60; minute++) {
    const bytes = [minute * 1000, minute] as const;
    const table: Table = { open: bytes };
    for (const id of ids) table[id] = bytes;
    b.shows(minute * 60 + 1, [minute * 10_000, minute * 10], table);
  }
  b.shows(HOURS * 3600 + 30, [HOURS * 600_000, HOURS * 600], { open: [HOURS * 60_000, HOURS * 60] });
}

/** Makes room in a journal that is over its budget by a little. */
const relieveABit = (share = 0.999) => relieve(b.journal, Math.floor(b.journal.size() * share));
const last = (id: string) => b.samples(id).at(-1)?.[1];

describe('the disk budget', () => {
  it('is no matter until it is reached', () => {
    fill(['x']);
    expect(relieve(b.journal, b.journal.size())).toEqual({ pruned: 0, thinned: 0, lost: 0 });
  });

  it('first costs what was delivered', () => {
    fill(['x', 'y']);
    while (b.delivers().count > 0);
    const relief = relieveABit();
    expect(relief).toMatchObject({ pruned: 2, lost: 0 });
    expect(b.rows('SELECT connections FROM pruned')).toEqual([{ connections: 2 }]);
  });

  it('then minutes of closed connections: one an hour is left, each with its last counters', () => {
    fill(['u', 'v', 'w', 'x', 'y', 'z']);
    const relief = relieveABit();
    expect(relief.thinned).toBeGreaterThan(0);
    expect(relief.lost).toBe(0);
    expect(last('x')).toBe(HOURS * 60_000);
    const old = b.samples('x').filter(([minute]) => (minute ?? 0) < 60);
    expect(old.length).toBeLessThan(60);
    // Of open ones nothing was needed.
    expect(b.samples('open').length).toBeGreaterThan(HOURS * 59);
  });

  it('at last whole connections, the oldest first, and says how much', () => {
    fill(['x', 'y']);
    const relief = relieve(b.journal, 1);
    expect(relief.lost).toBe(2);
    expect(b.rows('SELECT down, up, connections, reason FROM lost')).toEqual([
      { down: HOURS * 120_000, up: HOURS * 120, connections: 2, reason: 'disk-budget' },
    ]);
    expect(last('open')).toBe(HOURS * 60_000);
    // The totals still know the bytes: they become unattributed.
    expect(b.rows('SELECT max(down) AS down FROM totals')).toEqual([{ down: HOURS * 600_000 }]);
  });

  it('says less when a part of it was delivered', () => {
    b.shows(0, [0, 0], {}).shows(10, [1000, 0], { x: [1000, 0] });
    b.delivers();
    b.shows(61, [1000, 0], { x: [1000, 0] })
      .shows(70, [5000, 0], { x: [5000, 0] })
      .shows(71, [5000, 0], {});
    relieve(b.journal, 1);
    expect(b.rows('SELECT down, connections FROM lost')).toEqual([{ down: 4000, connections: 1 }]);
  });

  it('sends anew what took over something undelivered, marked if it was delivered itself, and the close after it', () => {
    fill(['u', 'v', 'w', 'x', 'y', 'z']);
    while (b.delivers().count > 0);
    // Older ones have to go again, as after an answer that was not ok.
    b.journal.db.exec(
      'UPDATE samples SET dirty = 1 WHERE minute % 60 IN (10, 40); UPDATE connections SET dirty = 1',
    );
    expect(relieveABit()).toMatchObject({ pruned: 0, lost: 0 });
    const marked = b.samples('x').filter(([, , flags, dirty]) => flags === 1 && dirty === 1);
    expect(marked.length).toBeGreaterThan(0);
    expect(b.rows("SELECT close_dirty FROM connections WHERE id = 'x'")).toEqual([{ close_dirty: 1 }]);
  });

  it('keeps the highest counters when the clock was set back in between', () => {
    b.shows(0, [0, 0], { open: [0, 0] });
    const ids = Array.from({ length: 1500 }, (_, i) => `c${i}`);
    const table = Object.fromEntries(ids.map((id) => [id, [0, 0] as const]));
    b.shows(1, [0, 0], { open: [0, 0], ...table }).shows(2, [0, 0], { open: [0, 0] });
    // One sample an hour, and the highest counter in an hour that the clock had shown before.
    b.journal.db.exec(`INSERT INTO samples (minute, conn, down, up, rdown, rup, rev)
      SELECT (SELECT max(minute) FROM samples) + 60 * hour, key, CASE hour WHEN 3 THEN 1000 ELSE hour END, 0, 0, 0, 1
      FROM connections JOIN (SELECT value AS hour FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12]')) WHERE id <> 'open'`);
    b.shows(100_000, [0, 0], { open: [0, 0] }).shows(100_001, [10, 0], { open: [10, 0] });
    const relief = relieveABit();
    expect(relief.lost).toBe(0);
    expect(relief.thinned).toBe(1500 * 12);
    expect(b.rows('SELECT DISTINCT down FROM samples WHERE conn > 1')).toEqual([{ down: 1000 }]);
  });
});
