import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionRow, v2Body } from '../../../test/support/bodies.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import { Merger } from './merger.ts';

const MINUTE = Date.UTC(2026, 5, 1) / 60_000;
const HOUR = 3_600_000;

let merger: Merger;
let now: number;
beforeEach(() => {
  now = MINUTE * 60_000;
  merger = new Merger({ path: ':memory:', now: () => now, reserveLocal: true });
});
afterEach(() => merger.close());

/** A request of one connection `c` with the given samples `[minute, down, flags]`, and totals `[minute, down]`. */
function request(
  values: Partial<SyncRequest> = {},
  samples: number[][] = [],
  totals: number[][] = [],
): SyncRequest {
  return v2Body('a', {
    stream: 'stream-1',
    boot: 'boot-0001',
    sent_at: now,
    strings: ['c', ''],
    connections: samples.length > 0 ? [connectionRow(0, 1)] : [],
    samples: samples.map(([minute = 0, down = 0, flags = 0]) => [0, MINUTE + minute, down, 0, 0, 0, flags]),
    totals: totals.map(([minute = 0, down = 0]) => [MINUTE + minute, down, 0]),
    ...values,
  }) as SyncRequest;
}

/** Facts as `[kind, minute, down]`. */
const facts = () =>
  merger.db.prepare(`SELECT kind, bucket - ${MINUTE}, down FROM pending_facts ORDER BY seq`).raw().all();
const codes = () => merger.db.prepare('SELECT code FROM quarantine ORDER BY id').pluck().all();
const setHorizon = (ms: number) => {
  merger.db.prepare("UPDATE meta SET value = ? WHERE key = 'horizon'").run(String(now + ms));
};

describe('a batch of protocol 2', () => {
  it('books samples, and what the totals show beyond them as unattributed', () => {
    const answer = merger.v2(request({}, [[0, 100]], [[0, 130]]), null, false);
    expect(answer).toMatchObject({ ok: true, head_before: null, accepted: 3, rejected: [] });
    expect(facts()).toEqual([
      [0, 0, 100],
      [2, 0, 30],
    ]);
  });

  it('nets unattributed bytes in one minute, also when they come one after the other', () => {
    const first = request({}, [[0, 100]]);
    merger.v2(first, null, false);
    merger.v2(request({ prev: first.batch }, [], [[0, 130]]), null, false);
    expect(facts()).toEqual([
      [0, 0, 100],
      [2, 0, -100],
      [2, 0, 130],
    ]);
  });

  it('that does not go on from the head is merged in no part', () => {
    const first = request({}, [[0, 100]]);
    merger.v2(first, null, false);
    const answer = merger.v2(request({ prev: 'another-head' }, [[0, 900]], [[0, 900]]), null, false);
    expect(answer).toMatchObject({ ok: false, head_before: first.batch, accepted: 0 });
    expect(facts()).toHaveLength(2);
  });

  it('refuses a bad row alone', () => {
    const bad = request({}, [[0, 100]]);
    bad.samples.push([0, MINUTE, -1, 0, 0, 0, 0], [7, MINUTE, 1, 0, 0, 0, 0], 'nonsense');
    const answer = merger.v2(bad, null, false);
    expect(answer.ok).toBe(true);
    expect(answer.rejected.map(([array, index]) => [array, index])).toEqual([
      ['samples', 1],
      ['samples', 2],
      ['samples', 3],
    ]);
    expect(codes()).toHaveLength(3);
  });

  it('books what is too far ahead at its own now (I6)', () => {
    merger.v2(request({}, [[11, 100]], [[11, 100]]), null, false);
    expect(facts()).toEqual([[0, 0, 100]]);
    expect(merger.metrics.late).toBe(2);
  });

  it('refuses what may have been booked and pruned, and takes everything else, however late', () => {
    setHorizon(-HOUR);
    expect(merger.v2(request({}, [[-61, 100, 1]]), null, false).rejected).toEqual([
      ['samples', 0, 'too-old'],
    ]);
    expect(merger.v2(request({ stream: 'stream-2' }, [[-61, 100, 2]]), null, false).rejected).toEqual([]);
  });

  it('takes a sample that was sent before as one that comes again, unless the head is `prev`', () => {
    setHorizon(-HOUR);
    const first = request();
    merger.v2(first, null, false);
    const again = request({ prev: 'lost-one', inflight: [first.batch] }, [[-61, 100, 2]]);
    expect(merger.v2(again, null, false).rejected).toEqual([['samples', 0, 'too-old']]);
  });

  it('refuses a sample of a connection that was never introduced', () => {
    const answer = merger.v2(request({ connections: [] }, [[0, 100]]), null, false);
    expect(answer.rejected).toEqual([['samples', 0, 'unknown-connection']].concat([]));
  });

  it('keeps agents to the ids that they may use', () => {
    expect(() => merger.v2(request({ agent_id: 'local' }), null, false)).toThrow(/"local" belongs to/);
    expect(merger.v2(request({ agent_id: 'local' }), null, true).ok).toBe(true);
    expect(() => merger.v2(request(), 'b', false)).toThrow(/delivers for agent "b" only/);
    expect(() => merger.v2(request({ agent_id: ' \u0000 ' }), null, false)).toThrow(/without controls/);
    merger.v2(request({ agent_id: '  a  ' }, [[0, 1]]), 'a', false);
    expect(merger.db.prepare('SELECT agent_id FROM connections').pluck().all()).toEqual(['a']);
  });
});

describe('a package of the original’s wire', () => {
  const record = (values: object = {}) => ({
    id: 'c',
    agent_id: null,
    download: 100,
    upload: 0,
    last_updated: new Date(now).toISOString(),
    start: '',
    ...values,
  });
  const v1 = (...connections: unknown[]) => merger.v1({ agent_id: 'a', connections }, null);
  const agents = () =>
    merger.db.prepare('SELECT agent_id, conn_download FROM connections ORDER BY agent_id').raw().all();

  it('is one sample a record, base 0, with no totals', () => {
    expect(v1(record())).toEqual({ count: 1, rejected: 0 });
    expect(facts()).toEqual([[0, 0, 100]]);
    expect(merger.db.prepare('SELECT down, unmeasured_down FROM core_totals').all()).toEqual([
      { down: 0, unmeasured_down: 100 },
    ]);
  });

  it('lets a record’s own agent win, unless the token is bound to one', () => {
    v1(record({ agent_id: 'before' }), record());
    expect(agents()).toEqual([
      ['a', 100],
      ['before', 100],
    ]);
    expect(merger.v1({ agent_id: 'a', connections: [record({ agent_id: 'b' })] }, 'a')).toEqual({
      count: 1,
      rejected: 1,
    });
    expect(codes()).toEqual(['agent-mismatch']);
  });

  it('quarantines a bad record and takes the others', () => {
    expect(
      v1(null, 7, record({ id: '' }), record({ download: -1 }), record({ download: 2 ** 60 }), record()),
    ).toEqual({
      count: 6,
      rejected: 5,
    });
    expect(agents()).toEqual([['a', 100]]);
  });

  it('may not use the id of the agent inside the master', () => {
    v1(record({ agent_id: 'local' }));
    expect(codes()).toEqual(['agent-mismatch']);
  });

  it('never lowers a counter, and refuses what is before the horizon and unknown', () => {
    v1(record({ download: 500 }));
    v1(record({ download: 300 }));
    expect(agents()).toEqual([['a', 500]]);
    setHorizon(HOUR);
    v1(record({ id: 'd' }));
    expect(codes()).toEqual(['too-old']);
  });

  it('counts as closed after a day without change, and opens again when it moves', () => {
    const closed = () => merger.db.prepare('SELECT closed_at FROM connections').pluck().get();
    v1(record());
    const last = now;
    now += 25 * HOUR;
    merger.tidy();
    expect(closed()).toBe(last);
    v1(record({ download: 101 }));
    expect(closed()).toBeNull();
  });
});

describe('one connection by both wires', () => {
  it('is booked once: highest value − lowest base', () => {
    const v2 = request({}, [[0, 250]], [[0, 250]]);
    v2.connections = [[0, 0, 200, 0, 1, ...(v2.connections[0] as number[]).slice(5)]];
    merger.v2(v2, null, false);
    merger.v1(
      { agent_id: 'a', connections: [{ id: 'c', download: 240, upload: 0, last_updated: '' }] },
      null,
    );
    const sum = merger.db.prepare('SELECT sum(down) FROM pending_facts WHERE kind = 0').pluck().get();
    expect(sum).toBe(250);
    expect(merger.db.prepare('SELECT conflict FROM agents').pluck().get()).toMatch(/original/);
  });
});
