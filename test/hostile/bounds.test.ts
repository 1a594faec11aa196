import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nearest } from '../../src/master/ingest/marks.ts';
import { AgentAndMaster } from '../support/agent-and-master.ts';
import { connectionRow, unique, v1Body, v1Record, v2Body } from '../support/bodies.ts';

const MINUTE = Math.floor(Date.UTC(2026, 6, 1, 12) / 60_000);
const MOST = 10_000;

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

function post(version: 'v1' | 'v2', body: unknown) {
  const reply = all.master.deliver(`/api/${version}/sync`, JSON.stringify(body));
  if (reply.kind !== 'answer') throw new Error(reply.reason);
  return { status: reply.status, body: JSON.parse(reply.body) };
}

function count(table: string): number {
  return all.master.merger.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
}

/** Other agents, as if so many had delivered. */
function fillAgents(agents: number): void {
  all.master.merger.db
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO agents (agent_id, first_seen, last_contact, protocol) SELECT 'other-' || i, 0, 0, 2 FROM n`,
    )
    .run(agents);
}

const oneSample = (id: string, more = {}) => ({
  strings: [id, ''],
  connections: [connectionRow(0, 1)],
  samples: [[0, MINUTE, 100, 0, 0, 0, 0]],
  ...more,
});

describe('agents of a master', () => {
  it('beyond 10,000 are refused whole, by either protocol, and known ones go on', () => {
    fillAgents(MOST - 1);
    expect(post('v2', v2Body('last', oneSample('a'))).status).toBe(200);
    for (const answer of [
      post('v2', v2Body('too-many', oneSample('b'))),
      post('v1', v1Body('too-many', [v1Record('c', 1)])),
      post('v1', v1Body('last', [v1Record('d', 1), v1Record('e', 1, { agent_id: 'too-many' })])),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([403, 'too_many_agents']);
    }
    expect([count('agents'), count('connections'), count('streams')]).toEqual([MOST, 1, 1]);
    expect(post('v1', v1Body('last', [v1Record('d', 1)])).status).toBe(200);
    expect(count('connections')).toBe(2);
  });

  it('are told so, and what was refused is delivered when there is room again', async () => {
    fillAgents(MOST);
    all.agent.look();
    const ids = all.open(20, 100);
    all.watch();
    expect((await all.agent.step()).kind).toBe('after');
    expect(all.agent.engine.status.failure).toMatch(/^403 too_many_agents: /);
    expect(count('connections')).toBe(0);
    all.master.merger.db.exec("DELETE FROM agents WHERE agent_id = 'other-1'");
    await all.agent.deliver();
    expect(all.booked()).toEqual(new Map(ids.map((id) => [id, 100])));
  });

  it('named by one package are 256, and in parts any number is taken', () => {
    const records = Array.from({ length: 300 }, (_, i) => v1Record(`c${i}`, 1, { agent_id: `start-${i}` }));
    const answer = post('v1', v1Body('collector', records));
    expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large']);
    expect(count('agents')).toBe(0);
    expect(post('v1', v1Body('collector', records.slice(0, 150))).status).toBe(200);
    expect(post('v1', v1Body('collector', records.slice(150))).status).toBe(200);
    expect(count('agents')).toBe(301);
  });
});

describe('journals of an agent', () => {
  it('beyond 10,000 are refused, and those that are known go on', () => {
    const first = v2Body('a', oneSample('x'));
    expect(post('v2', first).status).toBe(200);
    all.master.merger.db
      .prepare(
        `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO streams (agent_id, stream, first_seen, last_seen) SELECT 'a', 'gone-' || i, 0, 0 FROM n`,
      )
      .run(MOST);
    const next = post('v2', v2Body('a', oneSample('y')));
    expect([next.status, next.body.code]).toEqual([403, 'too_many_journals']);
    const known = {
      ...v2Body('a', oneSample('z')),
      stream: first.stream,
      boot: first.boot,
      prev: first.batch,
    };
    expect(post('v2', known).body.data).toMatchObject({ ok: true, accepted: 2 });
    expect(post('v2', v2Body('b', oneSample('y'))).status).toBe(200);
  });
});

/** Batches of 4,000 rows of one stream, one after the other. */
function report(array: 'gaps' | 'runs' | 'lost', rows: readonly unknown[][]): void {
  const stream = unique('stream');
  let prev: string | null = null;
  for (let at = 0; at < rows.length; at += 4000) {
    const body: ReturnType<typeof v2Body> = v2Body('a', {
      stream,
      prev,
      strings: ['v1'],
      [array]: rows.slice(at, at + 4000),
    });
    expect(post('v2', body).body.data).toMatchObject({ ok: true, rejected: [] });
    prev = String(body.batch);
  }
}

describe('what an agent reports beside samples', () => {
  const FROM = MINUTE * 60_000;

  it('gaps are joined with their nearest: no time in a gap is forgotten', () => {
    // A core that flaps each minute, and one gap that has nothing to do with it.
    const gaps = Array.from({ length: 16_000 }, (_, i) => [
      i,
      FROM + i * 60_000,
      FROM + i * 60_000 + 1000 + i,
      'stalled',
    ]);
    gaps.unshift([99_999, FROM - 9e9, FROM - 8e9, 'core-down']);
    report('gaps', gaps);
    const kept = all.master.merger.db
      .prepare('SELECT from_ms AS "from", to_ms AS "to", reason FROM gaps ORDER BY from_ms')
      .all() as { from: number; to: number; reason: string }[];
    expect(kept.length).toBeLessThanOrEqual(MOST);
    expect(kept[0]).toEqual({ from: FROM - 9e9, to: FROM - 8e9, reason: 'core-down' });
    let at = 0;
    for (const [, from = 0, to = 0] of gaps.slice(1) as number[][]) {
      while ((kept[at]?.to ?? Number.POSITIVE_INFINITY) < to) at++;
      expect(kept[at]?.from).toBeLessThanOrEqual(from);
    }
  });

  it('losses become one, and still add up', () => {
    const lost = Array.from({ length: 16_000 }, (_, i) => [
      i,
      FROM + i,
      FROM + i + 5,
      3,
      2,
      1,
      'disk-budget',
    ]);
    report('lost', lost);
    expect(count('lost')).toBeLessThanOrEqual(MOST);
    const sums = all.master.merger.db
      .prepare(
        'SELECT sum(down) AS d, sum(up) AS u, sum(connections) AS c, min(from_ms) AS f, max(to_ms) AS t FROM lost',
      )
      .get();
    expect(sums).toEqual({ d: 48_000, u: 32_000, c: 16_000, f: FROM, t: FROM + 15_999 + 5 });
  });

  it('of runs the first and the newest stay', () => {
    report(
      'runs',
      Array.from({ length: 12_000 }, (_, i) => [i, FROM + i, 0]),
    );
    expect(count('runs')).toBeLessThanOrEqual(MOST);
    const { first, last } = all.master.merger.db
      .prepare('SELECT min(from_ms) AS first, max(from_ms) AS last FROM runs')
      .get() as { first: number; last: number };
    expect([first, last]).toEqual([FROM, FROM + 11_999]);
  });

  it('those with the least time between them are joined first, overlapping ones before all', () => {
    const marks = [
      { from: 100, to: 110 },
      { from: 0, to: 10 },
      { from: 12, to: 20 },
      { from: 5, to: 7 },
      { from: 50, to: 60 },
    ];
    const spans = (most: number) => nearest(marks, most).map((group) => group.map(({ from }) => from));
    expect(spans(5)).toEqual([[0], [5], [12], [50], [100]]);
    expect(spans(4)).toEqual([[0, 5], [12], [50], [100]]);
    expect(spans(3)).toEqual([[0, 5, 12], [50], [100]]);
    expect(spans(1)).toHaveLength(1);
  });
});
