import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HotRecords } from './hot-records.ts';
import { Merger } from './merger.ts';
import type { RecordState } from './record.ts';

const NOW = Date.UTC(2026, 5, 1);

describe('records kept in memory between transactions', () => {
  let merger: Merger;
  beforeEach(() => {
    merger = new Merger({ path: ':memory:', now: () => NOW, reserveLocal: false });
  });
  afterEach(() => merger.close());

  const deliver = (download: number, fields: object = {}) =>
    merger.v1(
      {
        agent_id: 'a',
        connections: [{ id: 'c', download, upload: 0, last_updated: new Date(NOW).toISOString(), ...fields }],
      },
      null,
    );
  const one = (sql: string) => merger.db.prepare(sql).pluck().get();
  const booked = () => one('SELECT sum(down) FROM pending_facts WHERE kind = 0');

  it('are as the file has them after a transaction that failed', () => {
    deliver(100);
    merger.db.exec('ALTER TABLE core_totals RENAME TO away');
    expect(() => deliver(250)).toThrow(/core_totals/);
    merger.db.exec('ALTER TABLE away RENAME TO core_totals');
    expect(booked()).toBe(100);
    deliver(250);
    expect(booked()).toBe(250);
    expect(one('SELECT conn_download FROM connections')).toBe(250);
  });

  it('are not believed when the file has lost them: the batch is refused, and taken when it comes again', () => {
    deliver(100);
    merger.db.exec('DELETE FROM connections');
    expect(() => deliver(250)).toThrow(/not in the file any more/);
    deliver(250);
    expect(one('SELECT conn_download FROM connections')).toBe(250);
  });

  it('never stand for another record that took the place of theirs', () => {
    deliver(100);
    merger.db.exec("UPDATE records SET num = 77, id = 'other'");
    expect(() => deliver(250)).toThrow(/not in the file any more/);
    expect(one('SELECT conn_download FROM connections')).toBe(100);
  });

  it('take in what fills their empty fields, though they were asked before', () => {
    deliver(100);
    deliver(200);
    deliver(300, { host: 'a.example' });
    deliver(400, { host: 'b.example', rule: 'Match' });
    expect(merger.db.prepare('SELECT host, rule FROM connections').get()).toEqual({
      host: 'a.example',
      rule: 'Match',
    });
  });
});

describe('hot records', () => {
  const record = (num: number) => ({ num }) as RecordState;

  it('are let go oldest first, and only when told that a transaction has ended', () => {
    const hot = new HotRecords(2);
    for (let num = 1; num <= 5; num++) hot.put('a', String(num), record(num));
    expect(hot.get('a', '1')?.num).toBe(1);
    hot.age();
    // Asked for, so it is one of the young ones again.
    expect(hot.get('a', '2')?.num).toBe(2);
    hot.put('a', '6', record(6));
    hot.age();
    expect([1, 2, 3, 4, 5, 6].map((num) => hot.get('a', String(num))?.num)).toEqual([
      undefined,
      2,
      undefined,
      undefined,
      undefined,
      6,
    ]);
  });

  it('are of one agent each', () => {
    const hot = new HotRecords();
    hot.put('a', 'c', record(1));
    expect(hot.get('b', 'c')).toBeUndefined();
  });
});
