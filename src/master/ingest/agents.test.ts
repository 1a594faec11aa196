import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { v2Body } from '../../../test/support/bodies.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import { Merger } from './merger.ts';

const START = Date.UTC(2026, 5, 1);
const SECOND = 1000;
const HOUR = 3_600_000;
let now = START;
let merger: Merger;

beforeEach(() => {
  now = START;
  merger = new Merger({ path: ':memory:', now: () => now, reserveLocal: false });
});
afterEach(() => merger.close());

let batches = 0;
/** An empty batch of one process of one journal; heads are those of the answer before. */
function beat(stream: string, boot: string, heads: Map<string, string | null>): void {
  now += 10 * SECOND;
  const key = `${stream} ${boot}`;
  const batch = `batch-${String(++batches).padStart(8, '0')}`;
  const request = v2Body('a', {
    stream: `stream-${stream}`,
    boot: `boot-${boot}-0`,
    batch,
    prev: heads.get(key) ?? null,
    sent_at: now,
  }) as SyncRequest;
  const answer = merger.v2(request, null, false);
  heads.set(key, answer.ok ? batch : answer.head_before);
}

function agent() {
  return merger.db.prepare("SELECT conflict, measured, protocol FROM agents WHERE agent_id = 'a'").get() as {
    conflict: string | null;
    measured: number;
    protocol: number;
  };
}

const v1 = () => merger.v1({ agent_id: 'a', connections: [] }, null);

describe('conflicts under one agent id', () => {
  it('lets a new journal take over from a lost one', () => {
    const heads = new Map<string, string | null>();
    beat('one', 'x', heads);
    beat('two', 'y', heads);
    beat('two', 'y', heads);
    expect(agent()).toEqual({ conflict: null, measured: 1, protocol: 2 });
  });

  it('lets a journal go on after a restart', () => {
    const heads = new Map<string, string | null>();
    beat('one', 'x', heads);
    heads.set('one y', heads.get('one x') ?? null);
    beat('one', 'y', heads);
    beat('one', 'y', heads);
    expect(agent().conflict).toBeNull();
  });

  it('sees two journals that take turns, says so once, and forgets it an hour after the last sign', () => {
    const heads = new Map<string, string | null>();
    for (const stream of ['one', 'two', 'one', 'two', 'one']) beat(stream, stream, heads);
    expect(agent()).toMatchObject({ conflict: 'two journals use this id', measured: 1 });
    const span = merger.db.prepare('SELECT conflict_since, conflict_at FROM agents').get();
    expect(span).toEqual({ conflict_since: now - 20 * SECOND, conflict_at: now });
    expect(merger.takeConflicts()).toHaveLength(1);
    now += HOUR;
    beat('one', 'one', heads);
    now += SECOND;
    beat('one', 'one', heads);
    expect(agent()).toMatchObject({ conflict: null, measured: 1 });
  });

  it('sees two copies of one journal', () => {
    const heads = new Map<string, string | null>();
    for (const boot of ['x', 'y', 'x', 'y']) beat('one', boot, heads);
    expect(agent().conflict).toBe('two copies of one journal use this id');
  });

  it('lets our agent replace one of the original, and sees both side by side', () => {
    const heads = new Map<string, string | null>();
    v1();
    expect(agent()).toMatchObject({ protocol: 1, measured: 0 });
    beat('one', 'x', heads);
    expect(agent()).toEqual({ conflict: null, measured: 1, protocol: 2 });
    v1();
    expect(agent()).toMatchObject({
      conflict: 'an agent of the original and one of this version use this id',
      measured: 1,
    });
  });
});
