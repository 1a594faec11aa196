import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { T } from '../books/books.test-support.ts';
import { JournalBench } from './journal.test-support.ts';
import { Journal } from './journal.ts';

let b: JournalBench;
beforeEach(() => {
  b = new JournalBench();
});
afterEach(() => b.remove());

describe('a flush that the disk refuses', () => {
  const story = (bench: JournalBench, trouble: (on: boolean) => void) => {
    bench.shows(0, [0, 0], { a: [0, 0] });
    bench.see(5, [500, 0], { a: [100, 0], b: [300, 0] });
    trouble(true);
    expect(() => bench.write()).toThrow();
    bench.see(70, [900, 0], { a: [250, 0], c: [200, 0] });
    expect(() => bench.write()).toThrow();
    trouble(false);
    bench.write();
    bench.shows(71, [950, 0], { a: [300, 0], c: [200, 0] });
  };
  const content = ({ journal }: JournalBench) => ({
    samples: journal.db.prepare('SELECT minute, id, down FROM samples JOIN connections ON key = conn').all(),
    connections: journal.db
      .prepare('SELECT id, conn_download, closed_at, last_minute FROM connections')
      .all(),
    totals: journal.db.prepare('SELECT minute, down FROM totals').all(),
    books: journal.meta('books'),
  });

  it('changes nothing, and the next one has all of it', () => {
    const calm = new JournalBench();
    try {
      story(calm, (on) => calm.journal.db.pragma(`query_only = ${on ? 'ON' : 'OFF'}`));
      // Half of it was written when the disk was full.
      story(b, (on) =>
        b.journal.db.exec(
          on
            ? "CREATE TRIGGER full BEFORE INSERT ON meta BEGIN SELECT raise(ABORT, 'disk full'); END"
            : 'DROP TRIGGER full',
        ),
      );
      expect(content(b)).toEqual(content(calm));
    } finally {
      calm.remove();
    }
  });

  it('so that a real full disk costs nothing either', () => {
    b.shows(0, [0, 0], {});
    const pages = b.journal.db.pragma('page_count', { simple: true });
    b.journal.db.pragma(`max_page_count = ${pages}`);
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`c${i}`, [i, 0] as const]));
    b.see(1, [2_000_000, 0], many);
    expect(() => b.write()).toThrow(/full/);
    expect(b.count('connections')).toBe(0);
    b.journal.db.pragma('max_page_count = 1000000');
    b.write();
    expect(b.rows('SELECT count(*) AS n, sum(down) AS down FROM samples')).toEqual([
      { n: 2000, down: 1_999_000 },
    ]);
  });
});

describe('after a restart', () => {
  it('the books go on from what was flushed, newer than the hourly rows', () => {
    b.shows(0, [0, 0], { a: [10, 1] }).shows(60, [900, 9], { a: [910, 10] });
    expect(b.rows("SELECT conn_download FROM connections WHERE id = 'a'")).toEqual([{ conn_download: 10 }]);
    b.restarts();
    const [entry] = [...b.books.openEntries()];
    expect(entry).toMatchObject({
      counter: { download: 910, upload: 10 },
      base: { download: 10, upload: 1 },
    });
    expect(b.books.state).toMatchObject({ lastGood: T + 60_000, accepted: { download: 900, upload: 9 } });
  });

  it('the newest minute is that of its rows, or of the last snapshot', () => {
    b.shows(0, [0, 0], {}).shows(600, [0, 0], {});
    expect(b.journal.newestMinute()).toBe(T / 60_000 + 10);
  });

  it('carried counters are kept, which nothing but the wide row has', () => {
    b.shows(0, [0, 0], {})
      .shows(1, [500, 0], { a: [500, 0] })
      .shows(2, [520, 0], { a: [20, 0] });
    b.restarts().shows(3, [550, 0], { a: [50, 0] });
    expect(b.samples('a')).toEqual([[0, 550, 0, 1]]);
  });
});

describe('the agent id', () => {
  it('is made once, and kept', () => {
    const path = `${b.path}.2`;
    const first = new Journal({ path });
    first.close();
    const second = new Journal({ path });
    expect(second.agentId).toBe(first.agentId);
    expect([second.stream, second.boot === first.boot]).toEqual([first.stream, false]);
    second.close();
  });

  it('of another agent is refused: its journal would become this one’s', () => {
    b.journal.close();
    expect(() => new Journal({ path: b.path, agentId: 'b' })).toThrow(/belongs to agent "a", not "b"/);
    b.open('a');
    expect(b.journal.agentId).toBe('a');
  });
});
