import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionRow, v2Body } from '../../../test/support/bodies.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import { listWaiting } from '../records/waiting.ts';
import { Lots } from './lots.ts';
import { Merger } from './merger.ts';

const DAY = 86_400_000;
const MINUTE = Date.UTC(2026, 5, 1) / 60_000;

let merger: Merger;
let now: number;
beforeEach(() => {
  now = MINUTE * 60_000;
  merger = new Merger({ path: ':memory:', now: () => now, reserveLocal: true });
});
afterEach(() => merger.close());

/** Seals so many lots of one fact each, and flushes them. */
function lots(count: number): void {
  for (let number = 0; number < count; number++) {
    const stream = `stream-${merger.lots.lots(1, Number.MAX_SAFE_INTEGER)[0]?.lot ?? 0}`;
    const request = v2Body('a', {
      stream,
      boot: 'boot-0001',
      sent_at: now,
      strings: [stream, ''],
      connections: [connectionRow(0, 1)],
      samples: [[0, MINUTE, 100, 0, 0, 0, 0]],
    }) as SyncRequest;
    expect(merger.v2(request, null, false).ok).toBe(true);
    merger.sealOne();
    merger.lots.flushed(newest());
  }
}

const newest = () => merger.lots.lots(1, Number.MAX_SAFE_INTEGER)[0]?.lot ?? 0;
const kept = () =>
  merger.lots
    .lots(1000, Number.MAX_SAFE_INTEGER)
    .filter((lot) => lot.kept)
    .map(({ lot }) => lot)
    .reverse();
const rows = () => merger.db.prepare('SELECT DISTINCT lot FROM pending_facts ORDER BY lot').pluck().all();

describe('flushed lots', () => {
  it('are kept while no backup has them, and forgotten once one has', () => {
    lots(4);
    expect(merger.lots.forgetSome(now)).toEqual({ lots: 0, withoutBackup: 0, more: false });
    merger.lots.backedUp({ lot: 3, at: now });
    expect(merger.lots.forgetSome(now)).toEqual({ lots: 3, withoutBackup: 0, more: false });
    expect(kept()).toEqual([4]);
    expect(rows()).toEqual([4]);
    expect(merger.lots.backup()).toEqual({ lot: 3, at: now });
  });

  it('are forgotten after two days without a backup, which is told', () => {
    lots(2);
    now += DAY;
    lots(1);
    expect(merger.lots.forgetSome(now + DAY).lots).toBe(0);
    expect(merger.lots.forgetSome(now + DAY + 1)).toEqual({ lots: 2, withoutBackup: 2, more: false });
    expect(kept()).toEqual([3]);
  });

  it('are forgotten beyond the space for them, oldest first', () => {
    lots(3);
    // Together with the two facts of each of the others they just fill 512 MiB, at 90 bytes each.
    merger.db.prepare('UPDATE lots SET rows = 5965228 WHERE lot = 2').run();
    expect(merger.lots.forgetSome(now).lots).toBe(0);
    lots(1);
    expect(merger.lots.forgetSome(now)).toMatchObject({ lots: 1, withoutBackup: 1 });
    expect(kept()).toEqual([2, 3, 4]);
  });

  it('go some at a time, so that nobody waits for all of them', () => {
    lots(5);
    merger.db.prepare('UPDATE lots SET rows = 6000').run();
    merger.lots.backedUp({ lot: 5, at: now });
    expect(merger.lots.forgetSome(now)).toEqual({ lots: 2, withoutBackup: 0, more: true });
    expect(kept()).toEqual([3, 4, 5]);
    expect(merger.lots.forgetSome(now)).toMatchObject({ lots: 2, more: true });
    expect(merger.lots.forgetSome(now)).toMatchObject({ lots: 1, more: false });
  });

  it('are kept until they are flushed, whatever a backup of another lineage says', () => {
    lots(1);
    merger.db.prepare("UPDATE lots SET state = 'sealed'").run();
    merger.lots.backedUp({ lot: 7, at: now });
    expect(merger.lots.forgetSome(now + 10 * DAY).lots).toBe(0);
    expect(rows()).toEqual([1]);
  });

  it('are looked up without reading all that there ever were', () => {
    lots(3);
    const statements = new Set<string>();
    const { db } = merger;
    const prepare = db.prepare.bind(db);
    db.prepare = ((text: string) => {
      statements.add(text);
      return prepare(text);
    }) as typeof db.prepare;
    const asked = new Lots(db);
    asked.waiting();
    asked.sealed();
    asked.lots(10, 3);
    asked.upTo(2, 0, 10);
    asked.forgetSome(now + 10 * DAY);
    asked.flushed(1);
    asked.sealOne(now);
    listWaiting(db);
    const about = [...statements].filter((text) => /\blots\b/.test(text));
    expect(about.length).toBeGreaterThan(7);
    for (const text of about) {
      const values = new Array(text.split('?').length - 1).fill(0);
      const plan = prepare(`EXPLAIN QUERY PLAN ${text}`).all(...values) as { detail: string }[];
      for (const { detail } of plan) expect(detail, text).not.toMatch(/^SCAN lots/);
    }
  });

  it('are in no backup at first', () => {
    expect(merger.lots.backup()).toEqual({ lot: 0, at: 0 });
  });
});
