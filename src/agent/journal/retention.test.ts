import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { T } from '../books/books.test-support.ts';
import { DAY, JournalBench } from './journal.test-support.ts';
import { applyRetention } from './retention.ts';

let b: JournalBench;
beforeEach(() => {
  b = new JournalBench();
  b.shows(0, [0, 0], { open: [0, 0] });
});
afterEach(() => b.remove());

const retain = (seconds: number, days = 7) => applyRetention(b.journal.db, T + seconds * 1000, days);
/** One that lives for a moment, with 1,000 bytes. */
const passing = (seconds: number, total: number) =>
  b
    .shows(seconds, [total, 0], { open: [0, 0], [`c${seconds}`]: [1000, 0] })
    .shows(seconds + 1, [total, 0], { open: [0, 0] });

describe('retention', () => {
  it('deletes closed connections that were acknowledged, and accounts for them', () => {
    passing(10, 1000);
    b.delivers();
    expect(retain(6 * DAY)).toEqual({ connections: 0, samples: 0 });
    expect(retain(8 * DAY).connections).toBe(1);
    expect(b.rows('SELECT id FROM connections')).toEqual([{ id: 'open' }]);
    expect(b.rows('SELECT down, connections, reported FROM pruned')).toEqual([
      { down: 1000, connections: 1, reported: 0 },
    ]);
  });

  it('keeps what was not acknowledged, however old', () => {
    passing(10, 1000);
    expect(retain(400 * DAY).connections).toBe(0);
    expect(b.samples('c10')).toHaveLength(1);
  });

  it('keeps the newest old sample of an open connection, and of the totals', () => {
    for (let minute = 1; minute <= 5; minute++) {
      b.shows(minute * 60 + 1, [minute * 10, 0], { open: [minute * 10, 0] });
    }
    b.delivers();
    b.shows(9 * DAY, [100, 0], { open: [100, 0] });
    retain(9 * DAY);
    const kept = b.samples('open').filter(([minute]) => (minute ?? 0) < 100);
    expect(kept).toEqual([[5, 50, 0, 0]]);
    expect(b.rows('SELECT down FROM totals WHERE dirty = 0')).toEqual([{ down: 50 }]);
  });

  it('keeps the highest counters, too, where the clock was set back in between', () => {
    b.shows(600, [0, 0], { open: [0, 0] }).shows(601, [50, 0], { open: [50, 0] });
    b.shows(60, [80, 0], { open: [80, 0] });
    b.delivers();
    b.shows(9 * DAY, [100, 0], { open: [100, 0] });
    retain(9 * DAY);
    expect(b.samples('open').filter(([minute]) => (minute ?? 0) < 100)).toEqual([
      [1, 80, 0, 0],
      [10, 50, 0, 0],
    ]);
  });

  it('of 0 days keeps everything', () => {
    passing(10, 1000);
    b.delivers();
    expect(retain(4000 * DAY, 0)).toEqual({ connections: 0, samples: 0 });
  });
});

describe('a master that turns out to be older than what was deleted', () => {
  /** Three batches, of which the second acknowledged what was deleted. */
  function deleted(): string[] {
    const batches = [b.delivers().id];
    passing(10, 1000);
    batches.push(b.delivers().id);
    passing(20, 2000);
    batches.push(b.delivers().id);
    retain(8 * DAY);
    expect(b.rows('SELECT connections FROM pruned')).toEqual([{ connections: 2 }]);
    return batches;
  }
  const lost = () => b.rows('SELECT down, connections, reason, dirty FROM lost');

  it('hears of it as lost, once', () => {
    const [first = ''] = deleted();
    b.isRefused(first);
    expect(lost()).toEqual([{ down: 2000, connections: 2, reason: 'forgotten-by-master', dirty: 1 }]);
    b.isRefused(first);
    expect(lost()).toHaveLength(1);
  });

  it('hears of it when its state is unknown, or none', () => {
    deleted();
    b.isRefused(null);
    expect(lost()).toHaveLength(1);
  });

  it('does not when it has all of it', () => {
    const [, , third = ''] = deleted();
    b.isRefused(third);
    expect(lost()).toEqual([]);
  });

  it('hears of it again when it is set back once more, however old the loss is by then', () => {
    const [first = ''] = deleted();
    b.isRefused(first);
    b.delivers();
    retain(400 * DAY);
    b.isRefused(first);
    b.isRefused(null);
    expect(lost()).toEqual([{ down: 2000, connections: 2, reason: 'forgotten-by-master', dirty: 1 }]);
  });
});
