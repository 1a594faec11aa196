import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionRow, v1Body, v1Record, v2Body } from '../../../test/support/bodies.ts';
import type { SyncPackage } from '../../protocol/v1.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import { Merger } from './merger.ts';
import { PRUNE_ROWS } from './record-retention.ts';

const MINUTE = Date.UTC(2026, 5, 1) / 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KEPT = 30 * DAY;

let merger: Merger;
let now: number;
beforeEach(() => {
  now = MINUTE * 60_000;
  merger = new Merger({ path: ':memory:', now: () => now, reserveLocal: true });
});
afterEach(() => merger.close());

const minuteNow = () => Math.floor(now / 60_000);
let head: string | null = null;
beforeEach(() => {
  head = null;
});

interface Told {
  closed?: boolean;
  flags?: number;
  minute?: number;
  down?: number;
  more?: Partial<SyncRequest>;
}

/** One sample of each connection, and whether they are closed, as the next batch of one journal. */
function deliver(ids: readonly string[], told: Told = {}) {
  const { closed = true, flags = 0, minute = minuteNow(), down = 100, more = {} } = told;
  const request = v2Body('a', {
    stream: 'stream-1',
    boot: 'boot-0001',
    prev: head,
    sent_at: now,
    strings: ['', ...ids],
    connections: ids.map((_, index) => connectionRow(index + 1, 0)),
    samples: ids.map((_, index) => [index + 1, minute, down, 10, 0, 0, flags]),
    closed: closed ? ids.map((_, index) => [index + 1, now]) : [],
    ...more,
  }) as SyncRequest;
  const answer = merger.v2(request, null, false);
  if (answer.ok) head = request.batch;
  return answer;
}

/** A moment later, facts of all lots are in the fact store, and need not be kept. */
function settle(): void {
  now += 1;
  merger.seal();
  for (const { lot } of merger.lots.sealed()) merger.lots.flushed(lot);
  merger.lots.backedUp({ lot: 1e9, at: now });
  while (merger.lots.forgetSome(now).more);
}

/** A round of retention; returns how many records went in each step. */
function prune(): number[] {
  const steps: number[] = [];
  for (let part: ReturnType<Merger['beginPruning']> | null = merger.beginPruning(KEPT); part !== null; ) {
    const { removed, next } = merger.pruneSome(part);
    steps.push(removed);
    part = next;
  }
  return steps;
}

const ids = () => merger.db.prepare('SELECT id FROM connections ORDER BY num').pluck().all();
const count = (table: string) => merger.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
const ofAgent = () => merger.db.prepare("SELECT records FROM agents WHERE agent_id = 'a'").pluck().get();

describe('records', () => {
  it('go with their bases when they are closed and nothing arrived for them, and are counted', () => {
    deliver(['old', 'moves'], { closed: true });
    deliver(['open'], { closed: false });
    settle();
    now += KEPT - HOUR;
    deliver(['moves'], { down: 150 });
    deliver(['young']);
    settle();
    now += HOUR - 2;
    expect(prune()).toEqual([0]);
    now += 1;
    expect(prune()).toEqual([1]);
    expect(ids()).toEqual(['moves', 'open', 'young']);
    expect([count('bases'), ofAgent()]).toEqual([3, 3]);
    expect(merger.retention.sums()).toMatchObject({ records: 1, download: 100, upload: 10 });
  });

  it('leave the horizon just behind all that ever came of them', () => {
    deliver(['a'], { minute: minuteNow() + 10 });
    expect(merger.retention.sums().horizon).toBe(0);
    settle();
    now += KEPT + 5 * DAY;
    prune();
    const { horizon } = merger.retention.sums();
    // An hour in which a repetition leaves no mark, ten minutes in which a sample may be ahead.
    expect(horizon).toBe((MINUTE + 71) * 60_000);
    expect(deliver(['a'], { minute: MINUTE + 10, flags: 1 }).rejected).toEqual([['samples', 0, 'too-old']]);
    // What cannot have been here is taken, though the master may have been away for long.
    expect(deliver(['b'], { minute: MINUTE + 71, flags: 1 }).rejected).toEqual([]);
  });

  it('stay as long as facts of them may have to be written into the fact store', () => {
    deliver(['unsealed']);
    now += 2 * KEPT;
    expect(prune()).toEqual([0]);
    merger.seal();
    expect(prune()).toEqual([0]);
    settle();
    // Arrived long before the lot that they went with was sealed.
    expect(prune()).toEqual([1]);
  });

  it('go while younger facts wait', () => {
    deliver(['old']);
    settle();
    now += 2 * KEPT;
    deliver(['new']);
    expect(prune()).toEqual([1]);
    expect(ids()).toEqual(['new']);
  });

  it('stay while somebody goes on telling of them, though nothing changes', () => {
    const record = (at: number) => v1Record('idle', 500, { last_updated: new Date(at).toISOString() });
    const tell = () => merger.v1(v1Body('old-agent', [record(now)]) as SyncPackage, null);
    for (let day = 0; day < 70; day++, now += DAY) {
      tell();
      merger.tidy();
      settle();
      prune();
    }
    expect(ids()).toEqual(['idle']);
    const booked = () => merger.db.prepare('SELECT total(unmeasured_down) FROM core_totals').pluck().get();
    expect(booked()).toBe(500);
    now += KEPT + DAY;
    expect(prune()).toEqual([1]);
    // The original's agent sends what it has not heard of for long: as it was, it is known by its time.
    expect(merger.v1(v1Body('old-agent', [record(now - KEPT - 2 * DAY)]) as SyncPackage, null)).toMatchObject(
      { rejected: 1 },
    );
    expect(booked()).toBe(500);
  });

  it('go by steps that agents need not wait for, and each step is whole', () => {
    const all = Array.from({ length: 2 * PRUNE_ROWS + 5 }, (_, index) => `c${index}`);
    deliver(all.slice(0, PRUNE_ROWS));
    deliver(all.slice(PRUNE_ROWS));
    settle();
    now += KEPT + 1;
    const part = merger.beginPruning(KEPT);
    const { removed, next } = merger.pruneSome(part);
    expect([removed, count('connections'), ofAgent()]).toEqual([PRUNE_ROWS, PRUNE_ROWS + 5, PRUNE_ROWS + 5]);
    expect(deliver(['between']).ok).toBe(true);
    expect(next === null ? null : merger.pruneSome(next).removed).toBe(PRUNE_ROWS);
    expect(prune()).toEqual([5]);
    expect(ids()).toEqual(['between']);
  });

  it('that are young are not looked at', () => {
    deliver(['first']);
    settle();
    prune();
    now += KEPT / 2;
    prune();
    deliver(['later']);
    now += KEPT / 2 + 1;
    settle();
    const { after, until } = merger.beginPruning(KEPT);
    expect([after, until]).toEqual([0, 2]);
  });

  it('go though a clock was ahead for a time', () => {
    now += 400 * DAY;
    prune();
    now -= 400 * DAY;
    deliver(['a']);
    settle();
    now += KEPT + 1;
    expect(prune()).toEqual([1]);
  });

  it('that the merge still has in memory are forgotten there, and may come again', () => {
    deliver(['a']);
    settle();
    now += KEPT + DAY;
    // Looked up, and nothing more: no sample of it.
    deliver(['a'], { more: { samples: [], closed: [] } });
    expect(prune()).toEqual([1]);
    expect(deliver(['a'], { down: 300 }).rejected).toEqual([]);
    expect(merger.db.prepare('SELECT num, conn_download FROM connections').raw().all()).toEqual([[2, 300]]);
    expect(ofAgent()).toBe(1);
  });
});

describe('heads', () => {
  const heads = () => merger.db.prepare('SELECT boot FROM heads ORDER BY seq').pluck().all();

  it('of a copy that was silent for so long are forgotten, so that it sends everything as sent again', () => {
    deliver(['shared'], { more: { boot: 'boot-copy' } });
    const ofCopy = head;
    deliver(['a']);
    settle();
    now += KEPT + 1;
    prune();
    expect(heads()).toEqual(['boot-0001']);
    // It would go on from its own head, and tell for the first time what the other has told long ago.
    const newest = head;
    head = ofCopy;
    const answer = deliver(['a'], { minute: MINUTE, more: { boot: 'boot-copy' } });
    expect(answer).toMatchObject({ ok: false, head_before: newest, accepted: 0 });
  });

  it('stay where they are the newest of their journal', () => {
    deliver(['a']);
    now += 10 * KEPT;
    prune();
    expect(heads()).toEqual(['boot-0001']);
  });
});
