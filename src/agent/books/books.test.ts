import { describe, expect, it } from 'vitest';
import { Bench, T } from './books.test-support.ts';
import { pendingSamples } from './entry.ts';

const bench = () => new Bench().opened();

describe('A1: what is written down', () => {
  it('is kept until the journal says that it has it', () => {
    const b = bench()
      .shows(0, [0, 0], {})
      .shows(1, [100, 10], { a: [100, 10] });
    const first = b.books.changes();
    expect(b.books.changes()).toEqual(first);
    b.shows(2, [300, 30], { a: [300, 30] });
    expect(b.books.changes().entries.map((entry) => pendingSamples(entry).length)).toEqual([1]);
    expect(b.samples('a')).toEqual([[0, 300, 0]]);
    b.commits();
    expect(b.books.hasChanges).toBe(false);
    expect(b.books.changes().entries).toEqual([]);
  });

  it('closes and state included, as one', () => {
    const b = bench()
      .shows(0, [0, 0], {})
      .shows(1, [5, 0], { a: [5, 0] })
      .shows(2, [5, 0], {});
    const { entries, closed, totals, state } = b.books.changes();
    expect([entries.length, closed.length, totals.length]).toEqual([1, 1, 1]);
    expect(state).toMatchObject({ lastGood: T + 2000, accepted: { download: 5, upload: 0 } });
  });

  it('forgets what was not committed when the process dies, and books it after the restart', () => {
    const b = bench()
      .shows(0, [0, 0], {})
      .shows(1, [100, 0], { a: [100, 0] })
      .commits();
    b.shows(2, [400, 0], { a: [400, 0] });
    b.restarts().shows(3, [500, 0], { a: [500, 0] });
    expect(b.samples('a').at(-1)).toEqual([0, 500, 400]);
    expect(b.accepted).toEqual([500, 0]);
  });
});

describe('A2: a counter below its checkpoint', () => {
  it('is new traffic as a whole, is counted, and never lowers what was booked', () => {
    const b = bench()
      .shows(0, [0, 0], {})
      .shows(1, [1000, 50], { a: [1000, 50] });
    b.shows(2, [1200, 70], { a: [200, 70] });
    expect(b.books.anomalies).toBe(1);
    expect(b.entry('a')).toMatchObject({
      counter: { download: 1200, upload: 70 },
      carried: { download: 1000, upload: 0 },
    });
    b.shows(3, [1500, 70], { a: [500, 70] });
    expect(b.samples('a')).toEqual([[0, 1500, 0]]);
    expect(b.books.anomalies).toBe(1);
  });
});

describe('A3: an unknown id while watching', () => {
  it('counts as a whole in this interval, whatever its start says', () => {
    const b = bench()
      .shows(0, [0, 0], {})
      .shows(1, [700, 7], { a: { bytes: [700, 7], start: T - 9_000_000 } });
    expect(b.samples('a')).toEqual([[0, 700, 0]]);
    expect(b.accepted).toEqual([700, 7]);
  });

  it('has a sample in its first minute without a byte, so that it can be counted', () => {
    const b = bench()
      .shows(0, [0, 0], {})
      .shows(1, [0, 0], { a: [0, 0] });
    expect(b.samples('a')).toEqual([[0, 0, 0]]);
  });
});

describe('A4: what moved while nobody looked', () => {
  it('at the first attach is the base: on the connection, in no bucket, in no total', () => {
    const b = bench().shows(0, [9000, 900], { a: [4000, 400] });
    expect(b.entry('a')).toMatchObject({ base: { download: 4000 }, counter: { download: 4000 } });
    expect(b.samples('a')).toEqual([[0, 4000, 0]]);
    expect(b.accepted).toEqual([0, 0]);
    b.shows(1, [9500, 900], { a: [4300, 400] });
    expect(b.samples('a')).toEqual([[0, 4300, 0]]);
    expect(b.accepted).toEqual([500, 0]);
  });

  it('is spread over the gap and marked, of known connections from the last look on', () => {
    const b = bench()
      .shows(0, [1000, 0], { a: [1000, 0] })
      .broken('stalled', 10);
    b.opened().shows(180, [4000, 0], { a: [4000, 0] });
    expect(b.samples('a')).toEqual([
      [0, 2000, 1000],
      [1, 3000, 2000],
      [2, 4000, 3000],
    ]);
  });

  it('of unknown ones from their start on, where that lies in the gap', () => {
    const b = bench()
      .shows(0, [0, 0], { a: [0, 0] })
      .broken('stalled', 10);
    b.opened().shows(180, [600, 0], { a: [0, 0], b: { bytes: [600, 0], start: T + 60_000 } });
    expect(b.samples('b')).toEqual([
      [1, 300, 300],
      [2, 600, 600],
    ]);
  });

  it('takes the core’s clock for what it is: off by so much', () => {
    const day = 86_400_000;
    const b = bench()
      .shows(0, [0, 0], { a: [0, 0] })
      .broken('stalled', 10);
    b.opened(day).shows(180, [600, 0], { a: [0, 0], b: { bytes: [600, 0], start: T + 60_000 + day } });
    expect(b.samples('b').map(([minute]) => minute)).toEqual([1, 2]);
  });

  it.each([
    ['before the gap', -7200],
    ['after now', 7200],
  ])('a start %s is taken to its end', (_what, seconds) => {
    const b = bench()
      .shows(0, [0, 0], { a: [0, 0] })
      .broken('stalled', 10);
    b.opened().shows(120, [600, 0], { a: [0, 0], b: { bytes: [600, 0], start: T + seconds * 1000 } });
    const minutes = b.samples('b').map(([minute]) => minute);
    expect(minutes).toEqual(seconds < 0 ? [0, 1] : [2]);
    expect(b.samples('b').at(-1)).toEqual([minutes.at(-1), 600, 600]);
  });

  it('is split at the same borders for totals and connections, over days too', () => {
    const hours = 50;
    const b = bench()
      .shows(0, [0, 0], { a: [0, 0] })
      .broken('core-down', 10);
    b.opened().shows(hours * 3600, [800_000, 0], { a: [600_000, 0] });
    const totals = b.totals().map(([minute]) => minute);
    const samples = b.samples('a').map(([minute]) => minute);
    expect(samples.slice(1)).toEqual(totals.slice(1));
    expect(totals.length).toBeLessThan(250);
    expect(b.totals().at(-1)?.[1]).toBe(800_000);
    expect(b.samples('a').at(-1)?.[1]).toBe(600_000);
  });
});

describe('A5: a known id', () => {
  it('goes on from its checkpoint after a restart of the tracker', () => {
    const b = bench()
      .shows(0, [100, 0], { a: [100, 0] })
      .shows(1, [200, 0], { a: [200, 0] })
      .commits();
    b.restarts().shows(30, [900, 0], { a: [900, 0] });
    expect(b.samples('a').at(-1)).toEqual([0, 900, 700]);
    expect(b.accepted).toEqual([800, 0]);
  });

  it('closes when a snapshot does not list it, never by time', () => {
    const b = bench()
      .shows(0, [0, 0], { a: [0, 0] })
      .shows(3600, [0, 0], { a: [0, 0] });
    expect(b.books.openCount).toBe(1);
    b.broken('core-down', 3601);
    expect(b.books.openCount).toBe(1);
    b.shows(7200, [0, 0], {});
    expect(b.books.openCount).toBe(0);
    expect(b.books.changes().closed[0]?.closedAt).toBe(T + 7_200_000);
  });

  it('that was open at the restart and is not listed any more closes then', () => {
    const b = bench()
      .shows(0, [0, 0], { a: [0, 0], b: [0, 0] })
      .commits();
    b.restarts().shows(10, [0, 0], { b: [0, 0] });
    expect(b.books.changes().closed.map((entry) => entry.fields.id)).toEqual(['a']);
  });

  it('that comes back counts what it grew by, whether its close was written down or not', () => {
    for (const flushed of [true, false]) {
      const b = bench()
        .shows(0, [0, 0], {})
        .shows(1, [100, 0], { a: [100, 0] });
      if (flushed) b.commits();
      b.shows(2, [100, 0], {});
      if (flushed) b.commits();
      b.shows(3, [150, 0], { a: [150, 0] });
      expect(b.entry('a')?.counter).toEqual({ download: 150, upload: 0 });
      const { entries, closed } = b.books.changes();
      expect(entries.filter((entry) => entry.fields.id === 'a')).toHaveLength(1);
      expect(closed.map((entry) => entry.closedAt)).toEqual([null]);
    }
  });

  it('in a journal taken over from the original goes on from there at the first attach', () => {
    const b = bench()
      .shows(0, [50, 0], {})
      .shows(1, [100, 0], { old: [50, 0] })
      .shows(2, [100, 0], {})
      .commits();
    // The same journal without any state of books, as one that was just taken over.
    const closed = b.committed.flatMap((changes) => changes.closed);
    b.committed.length = 0;
    b.restarts();
    b.shows(180, [9000, 0], { old: [350, 0], other: [2000, 0] });
    expect(closed).toHaveLength(1);
    expect(b.entry('old')).toMatchObject({ base: { download: 0 }, counter: { download: 350 } });
    expect(b.samples('old')).toEqual([
      [1, 200, 150],
      [2, 350, 300],
    ]);
    expect(b.entry('other')).toMatchObject({ base: { download: 2000 } });
    // What no totals cover is accepted with it, so nothing of it is unattributed, or less than nothing.
    expect(b.accepted).toEqual([300, 0]);
    expect(b.totals().at(-1)).toEqual([3, 300]);
  });
});

describe('A6: accepted increases', () => {
  it('unbroken: what the totals rose by', () => {
    const b = bench()
      .shows(0, [1000, 100], {})
      .shows(1, [1500, 130], { a: [200, 20] });
    expect(b.accepted).toEqual([500, 30]);
  });

  it('after a reset of the statistics: what the counted connections grew by; the run goes on', () => {
    const b = bench().shows(0, [1000, 0], { a: [600, 0] });
    b.shows(1, [50, 0], { a: [700, 0], o: { bytes: [900, 0], overlay: true } });
    expect(b.accepted).toEqual([100, 0]);
    expect(b.runs).toBe(1);
    b.shows(2, [80, 0], { a: [700, 0] });
    expect(b.accepted).toEqual([130, 0]);
  });

  it('after a break with a known connection: the same run', () => {
    const b = bench()
      .shows(0, [1000, 0], { a: [600, 0] })
      .broken('stalled', 1);
    b.opened().shows(9, [1800, 0], { a: [700, 0] });
    expect(b.accepted).toEqual([800, 0]);
    expect(b.runs).toBe(1);
  });

  it('after a break, totals fallen and nothing known left: a run that began at zero', () => {
    const b = bench()
      .shows(0, [1000, 0], { a: [600, 0] })
      .broken('core-down', 1);
    b.opened().shows(9, [300, 20], { n: [100, 10] });
    expect(b.accepted).toEqual([300, 20]);
    expect(b.runs).toBe(2);
    expect(b.samples('n').at(-1)).toEqual([0, 100, 100]);
    expect(b.books.changes().closed.map((entry) => entry.fields.id)).toEqual(['a']);
  });

  it('after a break, totals risen and nothing known left: nobody can tell, so only what connections show', () => {
    const b = bench()
      .shows(0, [1000, 0], { a: [600, 0] })
      .broken('core-down', 1);
    b.opened().shows(9, [5000, 0], { n: [100, 10] });
    expect(b.accepted).toEqual([100, 10]);
    expect(b.runs).toBe(2);
    expect(b.gaps()).toEqual([['core-down', 0, 9]]);
  });

  it('after a break, totals unchanged and nothing listed: the same run', () => {
    const b = bench()
      .shows(0, [1000, 0], { a: [600, 0] })
      .broken('stalled', 1);
    b.opened().shows(9, [1000, 0], {});
    expect(b.runs).toBe(1);
    expect(b.accepted).toEqual([0, 0]);
  });

  it('polled: totals that fall with nothing known left are a new run, though no break was seen', () => {
    const b = new Bench().opened(0, true).shows(0, [1000, 0], { a: [600, 0] });
    b.shows(5, [300, 0], { n: [100, 0] });
    expect(b.runs).toBe(2);
    expect(b.accepted).toEqual([300, 0]);
    const watched = bench()
      .shows(0, [1000, 0], { a: [600, 0] })
      .shows(5, [300, 0], { n: [100, 0] });
    expect(watched.runs).toBe(1);
    expect(watched.accepted).toEqual([100, 0]);
  });
});

describe('A7: overlay', () => {
  it('is sampled like any other, and is no part of what stands in for totals', () => {
    const b = bench()
      .shows(0, [1000, 0], {})
      .shows(1, [10, 0], { o: { bytes: [900, 0], overlay: true } });
    expect(b.samples('o')).toEqual([[0, 900, 0]]);
    expect(b.accepted).toEqual([0, 0]);
  });
});

describe('A8: totals and counters of slightly different moments', () => {
  it('a remainder below zero is made good by the next window', () => {
    const b = bench()
      .shows(0, [0, 0], {})
      .shows(1, [100, 0], { a: [130, 0] });
    expect(b.accepted).toEqual([100, 0]);
    b.shows(2, [150, 0], { a: [150, 0] });
    expect(b.accepted).toEqual([150, 0]);
  });

  it('a run that ends with one takes what its counters say', () => {
    const b = bench()
      .shows(0, [0, 0], {})
      .shows(1, [100, 5], { a: [130, 2] })
      .broken('core-down', 2);
    b.opened().shows(9, [20, 20], { n: [20, 20] });
    expect(b.accepted).toEqual([100 + 30 + 20, 5 + 20]);
  });

  it('says so when more is booked than the totals show, for ten minutes', () => {
    const b = bench().shows(0, [0, 0], {});
    for (let minute = 1; minute <= 12; minute++) b.shows(minute * 60, [1000, 0], { a: [5_000_000, 0] });
    expect(b.unbalanced).toEqual([1000 - 5_000_000]);
  });
});

describe('A9: a delta across a border of minutes', () => {
  it('is split in proportion to time, the totals with it, to the byte', () => {
    const b = bench()
      .shows(50, [0, 0], { a: [0, 0] })
      .shows(65, [1000, 0], { a: [301, 0] });
    expect(b.samples('a')).toEqual([
      [0, 200, 0],
      [1, 301, 0],
    ]);
    expect(b.totals()).toEqual([
      [0, 666],
      [1, 1000],
    ]);
  });

  it('that ends exactly on the border belongs to the minute before', () => {
    const b = bench()
      .shows(50, [0, 0], { a: [0, 0] })
      .shows(60, [100, 0], { a: [100, 0] });
    expect(b.samples('a')).toEqual([[0, 100, 0]]);
  });

  it('is not split when the clock was set back', () => {
    const b = bench()
      .shows(600, [0, 0], { a: [0, 0] })
      .shows(0, [100, 0], { a: [100, 0] });
    expect(b.samples('a')[0]).toEqual([0, 100, 0]);
    expect(b.accepted).toEqual([100, 0]);
  });
});

describe('gaps', () => {
  it('begin at the last snapshot and end at the next', () => {
    const b = bench().shows(0, [0, 0], {}).broken('stalled', 20);
    expect(b.gaps()).toEqual([['stalled', 0, 20]]);
    b.opened().shows(90, [0, 0], {});
    expect(b.gaps()).toEqual([['stalled', 0, 90]]);
  });

  it('are the tracker’s until it looks again, then the core’s', () => {
    const b = bench().shows(0, [0, 0], {}).commits();
    b.restarts().broken('core-down', 100);
    b.opened().shows(160, [0, 0], {});
    expect(b.gaps()).toEqual([
      ['tracker-down', 0, 100],
      ['core-down', 100, 160],
    ]);
  });

  it('are the tracker’s alone when the core answers at once', () => {
    const b = bench().shows(0, [0, 0], {}).commits().restarts().shows(100, [0, 0], {});
    expect(b.gaps()).toEqual([['tracker-down', 0, 100]]);
  });

  it('follow each other when the reason becomes another', () => {
    const b = bench().shows(0, [0, 0], {}).broken('core-down', 30).broken('unauthorized', 100);
    b.opened().shows(400, [0, 0], {});
    expect(b.gaps()).toEqual([
      ['core-down', 0, 100],
      ['unauthorized', 100, 400],
    ]);
  });

  it('there are none before the first attach', () => {
    const b = bench().broken('core-down', 10).opened().shows(60, [0, 0], {});
    expect(b.gaps()).toEqual([]);
  });
});
