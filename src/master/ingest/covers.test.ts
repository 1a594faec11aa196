import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionRow, v1Body, v1Record, v2Body } from '../../../test/support/bodies.ts';
import { checkBooks } from '../../../test/support/books.ts';
import { TestDirectory } from '../../../test/support/directory.ts';
import { openStore } from '../../common/sqlite.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import { makeVersion6 } from '../layout/earlier-version.test-support.ts';
import { Merger } from './merger.ts';
import { RECORDS_FILE } from './schema.ts';

const MINUTE = Date.UTC(2026, 6, 1, 12) / 60_000;

let directory: TestDirectory;
let merger: Merger;
let heads: Map<string, string>;
beforeEach(() => {
  directory = new TestDirectory();
  heads = new Map();
  open();
});
afterEach(() => {
  merger.close();
  directory.remove();
});

function open(): void {
  merger = new Merger({
    path: directory.file('master.db'),
    now: () => (MINUTE + 60) * 60_000,
    reserveLocal: false,
  });
}

/** One sample of connection `c` and the totals, both downloads, of a minute; `base` goes with it each time. */
function deliver(stream: string, minute: number, down: number, total: number, base = 0): void {
  const body = v2Body('a', {
    stream: `stream-${stream}`,
    boot: `boot-${stream}`,
    prev: heads.get(stream) ?? null,
    strings: ['c', ''],
    connections: [connectionRow(0, 1, { base: [base, 0] })],
    samples: [[0, MINUTE + minute, down, 0, 0, 0, 0]],
    totals: [[MINUTE + minute, total, 0]],
  }) as SyncRequest;
  expect(merger.v2(body, null, false)).toMatchObject({ ok: true, rejected: [] });
  heads.set(stream, body.batch);
}

const v1 = (minute: number, down: number) =>
  merger.v1(
    v1Body('a', [v1Record('c', down, { last_updated: new Date((MINUTE + minute) * 60_000).toISOString() })]),
    null,
  );
/** Ends of the covers, by journal. */
const ends = () => merger.db.prepare('SELECT covered_down FROM bases ORDER BY stream').pluck().all();
/** What is unattributed in each minute. */
const unattributed = () => {
  checkBooks(merger.db);
  return merger.db
    .prepare(
      `SELECT bucket - ${MINUTE}, sum(down) FROM pending_facts WHERE kind = 2 GROUP BY 1 HAVING sum(down) <> 0 ORDER BY 1`,
    )
    .raw()
    .all();
};

describe('what a journal’s totals cover of a connection', () => {
  it('is written once while that journal alone tells of it', () => {
    merger.db.exec(`CREATE TEMP TABLE written (stream);
      CREATE TEMP TRIGGER on_base AFTER INSERT ON main.bases BEGIN INSERT INTO written VALUES (new.stream); END`);
    for (let minute = 1; minute <= 5; minute++) deliver('one', minute, minute * 100, minute * 110);
    expect(merger.db.prepare('SELECT count(*) FROM written').pluck().get()).toBe(1);
    expect(ends()).toEqual([null]);
    expect(unattributed()).toEqual([1, 2, 3, 4, 5].map((minute) => [minute, 10]));
  });

  it('stays where it was when another source raises the counter, and moves with it again once it has caught up', () => {
    deliver('one', 1, 100, 110);
    v1(3, 300);
    expect(ends()).toEqual([100]);
    deliver('one', 2, 200, 220);
    expect(ends()).toEqual([200]);
    deliver('one', 3, 300, 330);
    expect(ends()).toEqual([null]);
    deliver('one', 4, 400, 440);
    expect(unattributed()).toEqual([1, 2, 3, 4].map((minute) => [minute, 10]));
  });

  it('is known though the record was in no memory when another source raised it', () => {
    deliver('one', 1, 100, 110);
    merger.close();
    open();
    v1(2, 200);
    merger.close();
    open();
    deliver('one', 2, 200, 220);
    expect(unattributed()).toEqual([
      [1, 10],
      [2, 10],
    ]);
  });

  it('is as in the file after a transaction that failed', () => {
    deliver('one', 1, 100, 110);
    v1(3, 300);
    merger.db.exec('ALTER TABLE core_totals RENAME TO away');
    expect(() => deliver('one', 2, 200, 220)).toThrow(/core_totals/);
    merger.db.exec('ALTER TABLE away RENAME TO core_totals');
    deliver('one', 2, 200, 220);
    expect(ends()).toEqual([200]);
    expect(unattributed()).toEqual([
      [1, 10],
      [2, 10],
    ]);
  });

  it('is one for each journal', () => {
    deliver('one', 1, 100, 110);
    deliver('two', 3, 350, 60, 300);
    expect(ends()).toEqual([100, null]);
    // The first is put back: it has seen all that the second saw, and what nobody saw before that.
    deliver('one', 4, 400, 420);
    expect(ends()).toEqual([null, 350]);
    expect(unattributed()).toEqual([
      [1, 10],
      [3, 10],
      [4, 10],
    ]);
  });

  it('begins at its base for a journal that goes on where a file of the original’s ended', () => {
    v1(1, 1000);
    deliver('one', 2, 1200, 210, 1000);
    expect(unattributed()).toEqual([[2, 10]]);
  });

  it('is all that was booked, in a file from before it was kept', () => {
    merger.close();
    const path = directory.file('before.db');
    const before = openStore(path, { ...RECORDS_FILE, migrations: RECORDS_FILE.migrations.slice(0, 1) });
    expect(before.pragma('table_info(bases)')).toHaveLength(4);
    before.close();
    merger = new Merger({ path, now: () => (MINUTE + 60) * 60_000, reserveLocal: false });
    deliver('one', 1, 100, 110);
    makeVersion6(merger.db);
    merger.db.exec(
      `ALTER TABLE bases DROP COLUMN covered_down; ALTER TABLE bases DROP COLUMN covered_up;
       ALTER TABLE agents DROP COLUMN conflict_since; DROP TABLE tokens; DROP TABLE record_marks; DROP TABLE pruned;
       DROP INDEX lots_sealed; DROP INDEX lots_flushed; PRAGMA user_version = 1`,
    );
    merger.close();
    merger = new Merger({ path, now: () => (MINUTE + 60) * 60_000, reserveLocal: false });
    expect(ends()).toEqual([null]);
    deliver('one', 2, 200, 220);
    expect(unattributed()).toEqual([
      [1, 10],
      [2, 10],
    ]);
  });
});
