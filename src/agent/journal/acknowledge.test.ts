import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalBench } from './journal.test-support.ts';
import { pruneDelivered } from './retention.ts';

let b: JournalBench;
beforeEach(() => {
  b = new JournalBench();
  b.shows(0, [0, 0], {});
});
afterEach(() => b.remove());

describe('rows that the master refused', () => {
  const refuse = (count: number) => {
    const batch = b.outbox.next(5000);
    b.outbox.sending(batch);
    const rejected = Array.from(
      { length: count },
      () => ['samples', 0, 'too-old'] as ['samples', number, 'too-old'],
    );
    b.ack.ok(batch, b.answer(batch, { rejected }), 0);
  };

  it('are kept with their id in the clear, and are not sent again', () => {
    b.shows(1, [10, 0], { a: [10, 0] });
    refuse(1);
    const [row] = b.rows('SELECT what, code, row FROM quarantine');
    expect(row).toMatchObject({ what: 'samples', code: 'too-old' });
    expect(JSON.parse(String(row?.row))).toMatchObject({ id: 'a' });
    expect(b.samples('a')).toEqual([[0, 10, 0, 0]]);
  });

  it('are bounded in number and in length, and counted', () => {
    refuse(1500);
    expect(b.count('quarantine')).toBe(1000);
    expect(b.journal.meta('quarantined')).toBe('1500');
    b.ack.quarantine('connections', 'malformed', ['x'.repeat(100_000)], [], 0);
    expect(b.rows('SELECT max(length(row)) AS length FROM quarantine')).toEqual([{ length: 4000 }]);
  });
});

describe('the row of a connection whose sample was too old', () => {
  const refuseOldest = (rows = 5000) => {
    const batch = b.outbox.next(rows);
    b.outbox.sending(batch);
    b.ack.ok(batch, b.answer(batch, { rejected: [['samples', 0, 'too-old']] }), 0);
    return batch;
  };

  it('goes along with those that are left of it, until one was taken', () => {
    b.shows(1, [10, 0], { a: [10, 0] }).shows(61, [20, 0], { a: [20, 0] });
    expect(refuseOldest(3).rows.samples).toHaveLength(1);
    expect(b.delivers().rows.connections).toHaveLength(1);
    b.shows(121, [30, 0], { a: [30, 0] });
    expect(b.delivers().rows).toMatchObject({ connections: [], samples: { length: 2 } });
  });

  it('goes along with one that came to be afterwards', () => {
    b.shows(1, [10, 0], { a: [10, 0] });
    refuseOldest();
    b.shows(61, [20, 0], { a: [20, 0] });
    expect(b.delivers().rows.connections).toHaveLength(1);
  });

  it('holds back no connection that is closed and delivered from being deleted', () => {
    b.shows(1, [10, 0], { a: [10, 0] }).shows(2, [10, 0], {});
    expect(refuseOldest().rows.closed).toHaveLength(1);
    expect(pruneDelivered(b.journal.db, Number.MAX_SAFE_INTEGER, 10)).toBe(1);
  });

  it('goes along with the close of one that moved no more, and holds back nothing then', () => {
    b.shows(1, [10, 0], { a: [10, 0] });
    refuseOldest();
    b.shows(61, [10, 0], {});
    expect(b.delivers().rows).toMatchObject({
      connections: { length: 1 },
      samples: [],
      closed: { length: 1 },
    });
    expect(pruneDelivered(b.journal.db, Number.MAX_SAFE_INTEGER, 10)).toBe(1);
  });
});

describe('a connection that the master does not know, though its row was taken', () => {
  const isUnknown = () => {
    const batch = b.outbox.next(5000);
    b.outbox.sending(batch);
    const rejected = batch.rows.samples.map((_, index) => ['samples', index, 'unknown-connection'] as const);
    b.ack.ok(batch, b.answer(batch, { rejected: rejected as never }), 0);
    return batch.rows;
  };

  /** As the row of a connection was left by earlier versions. */
  const known = () => {
    b.shows(1, [10, 0], { a: [10, 0] });
    b.delivers();
    b.shows(61, [20, 0], { a: [20, 0] }).shows(121, [30, 0], { a: [30, 0] });
  };

  it('is told again, with all of its samples that were refused, and nothing is put aside', () => {
    known();
    const refused = isUnknown();
    expect(refused).toMatchObject({ connections: [], samples: { length: 3 } });
    const again = b.delivers().rows;
    expect(again.connections).toHaveLength(1);
    expect(again.samples.map(([, minute, down]) => [minute, down])).toEqual(
      refused.samples.map(([, minute, down]) => [minute, down]),
    );
    expect(b.count('quarantine')).toBe(0);
    b.shows(181, [40, 0], { a: [40, 0] });
    expect(b.delivers().rows.connections).toEqual([]);
  });

  it('is told once more and not for ever where its row is what the master does not take', () => {
    known();
    isUnknown();
    expect(isUnknown().connections).toHaveLength(1);
    expect(b.count('quarantine')).toBe(3);
    expect(b.outbox.next(5000).count).toBe(0);
  });

  it('is left alone once its close was taken', () => {
    known();
    b.shows(122, [30, 0], {});
    expect(isUnknown().closed).toHaveLength(1);
    expect(b.outbox.next(5000).count).toBe(0);
    expect(b.count('quarantine')).toBe(3);
    expect(pruneDelivered(b.journal.db, Number.MAX_SAFE_INTEGER, 10)).toBe(1);
  });
});

describe('marks of samples', () => {
  const flags = () => b.samples('a').map(([, , flag, dirty]) => [flag, dirty]);

  it('sent before: in a batch that was not answered, until an answer comes', () => {
    b.shows(1, [10, 0], { a: [10, 0] });
    b.outbox.sending(b.outbox.next(5000));
    expect(flags()).toEqual([[2, 1]]);
    expect(b.outbox.next(5000).rows.samples[0]?.[6]).toBe(2);
    b.delivers();
    expect(flags()).toEqual([[0, 0]]);
  });

  it('again: sent before, and the answer names another head than the one before it', () => {
    b.shows(1, [10, 0], { a: [10, 0] });
    const unanswered = b.outbox.next(5000);
    b.outbox.sending(unanswered);
    const batch = b.outbox.next(5000);
    expect(batch.inflight).toEqual([unanswered.id]);
    b.outbox.sending(batch);
    b.ack.ok(batch, b.answer(batch, { head_before: unanswered.id }), 0);
    expect(flags()).toEqual([[1, 0]]);
    expect(b.outbox.inflight()).toEqual([]);
  });

  it('again: acknowledged after the head that the master names', () => {
    const first = b.delivers().id;
    b.shows(1, [10, 0], { a: [10, 0] });
    b.delivers();
    b.isRefused(first);
    expect(flags()).toEqual([[1, 1]]);
    expect(b.outbox.next(5000)).toMatchObject({ prev: first, rows: { connections: [expect.anything()] } });
  });

  it('again: everything, when the journal does not know that head', () => {
    b.shows(1, [10, 0], { a: [10, 0] });
    b.isRefused('00000000-unknown');
    expect(flags()).toEqual([[1, 1]]);
    expect(b.outbox.next(5000).prev).toBe('00000000-unknown');
  });

  it('a sample that changed while its batch was on the way stays to be sent', () => {
    b.shows(1, [10, 0], { a: [10, 0] });
    const batch = b.outbox.next(5000);
    b.outbox.sending(batch);
    b.shows(2, [30, 0], { a: [30, 0] });
    b.ack.ok(batch, b.answer(batch), 0);
    expect(flags()).toEqual([[0, 1]]);
    expect(b.delivers().rows.samples[0]).toEqual([expect.anything(), expect.anything(), 30, 0, 0, 0, 0]);
  });
});

describe('a batch', () => {
  it('remembers at most sixteen that were sent since the last answer', () => {
    for (let i = 0; i < 20; i++) b.outbox.sending(b.outbox.next(5000));
    expect(b.outbox.inflight()).toHaveLength(16);
  });

  it('has the row of a connection until that was acknowledged, and its close after its last sample', () => {
    b.shows(1, [10, 0], { a: [10, 0] })
      .shows(61, [20, 0], { a: [20, 0] })
      .shows(62, [20, 0], {});
    const first = b.delivers(3);
    expect([first.rows.connections.length, first.rows.samples.length, first.rows.closed.length]).toEqual([
      1, 1, 0,
    ]);
    const rest = b.delivers();
    expect(rest.rows.connections).toEqual([]);
    expect(rest.rows.closed).toHaveLength(1);
  });

  it('of no rows is a sign of life', () => {
    b.shows(1, [10, 0], { a: [10, 0] });
    expect(b.outbox.next(0).count).toBe(0);
  });
});
