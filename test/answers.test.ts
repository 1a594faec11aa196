import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AnswerCheck, type GivenAnswer } from '../src/master/http/answer-check.test-support.ts';
import { GROUP_KEYS } from '../src/master/query/group-keys.ts';
import { connectionRow, v1Body, v1Record, v2Body } from './support/bodies.ts';
import { TestDirectory } from './support/directory.ts';
import { WholeMaster } from './support/whole-master.ts';

const check = await AnswerCheck.make();
const directory = new TestDirectory();
let master: WholeMaster;
beforeAll(async () => {
  master = await new WholeMaster(directory.path).start();
  await fill();
});
afterAll(async () => {
  await master.stop();
  directory.remove();
});

const MINUTE = Math.floor(Date.parse('2026-07-01T12:00:00Z') / 60_000);
const at = (minute: number): string => new Date((MINUTE + minute) * 60_000).toISOString();

/** Agents of both wires: open and closed connections, overlay, gaps, losses, refused rows, a conflict. */
async function fill(): Promise<void> {
  const old = [
    v1Record('a', 5000, { process: 'curl', last_updated: at(1) }),
    v1Record('b', 300, { rule: 'DomainSuffix', rule_payload: 'example.com', last_updated: at(2) }),
    { id: 7 },
  ];
  await master.post('v1', v1Body('old', old));
  const ms = (minute: number) => (MINUTE + minute) * 60_000;
  const journal = () => ({
    strings: ['c', '', 'd', 'example.org'],
    connections: [connectionRow(0, 1, { fields: { host: 3 } }), connectionRow(2, 1, { counted: 0 })],
    samples: [
      [0, MINUTE, 700, 70, 200, 0, 0],
      [0, MINUTE + 1, 900, 90, 200, 0, 0],
      [2, MINUTE, 100, 10, 0, 0, 0],
    ],
    totals: [
      [MINUTE, 1000, 100],
      [MINUTE + 1, 1500, 150],
    ],
    closed: [[2, ms(1)]],
    gaps: [[1, ms(3), ms(9), 'core-down']],
    lost: [[1, ms(3), ms(9), 40, 4, 2, 'disk-budget']],
  });
  const first = v2Body('new', journal());
  await master.post('v2', first);
  // Another journal under the same id, and the first one again: they take turns.
  await master.post('v2', v2Body('new', journal()));
  await master.post('v2', { ...first, prev: first.batch, batch: 'batch-of-answers' });
}

const RANGE = `from=${at(0)}&to=${at(10)}`;

/** Requests that succeed, for each route there is. A route without one is a mistake. */
const REQUESTS: Readonly<Record<string, readonly string[]>> = {
  'GET /api/v1/health': [''],
  'GET /api/v1/openapi.json': [''],
  'GET /api/v1/ready': [''],
  'GET /api/v1/session': [''],
  'GET /api/v1/stats': [
    '?type=summary',
    '?type=summary&process=curl',
    '?type=summary&host=nowhere',
    ...GROUP_KEYS.map((key) => `?type=group&group_by=${key}&limit=1`),
    ...['connections', 'download', 'opened'].map(
      (metric) => `?type=timeseries&interval=minute&metric=${metric}&${RANGE}`,
    ),
    `?type=timeseries&interval=minute&agent_id=new&${RANGE}`,
    '?type=timeseries&interval=month&tz=Asia/Tokyo',
    ...['summary', 'group&group_by=host&limit=1', `timeseries&interval=minute&${RANGE}`].map(
      (type) => `?type=${type}&filter=${encodeURIComponent('recovered = true')}`,
    ),
  ],
  'GET /api/v1/connections': [
    '',
    '?limit=1&sort_by=total',
    '?host=nowhere',
    `?filter=${encodeURIComponent('not recovered = true')}&state=open&counted=true&${RANGE}`,
  ],
  'GET /api/v1/connections/:agent_id/:id': ['old/a', 'new/c', 'new/d'],
  'GET /api/v1/agents': [''],
  'GET /api/v1/agents/:id/status': ['old', 'new'],
  'GET /api/v1/export': ['csv', 'ndjson', 'parquet'].map((format) => `?format=${format}&what=connections`),
  'POST /api/v1/export/ticket': ['{"format":"csv","facts":{}}'],
  'GET /api/v1/filter-options': GROUP_KEYS.map((key) => `?filter_type=${key}`),
  'GET /api/v1/verify': [`?${RANGE}`, `?group=range&${RANGE}`, `?group=month&agent=new&${RANGE}`],
  'POST /api/v1/query': [
    '{}',
    `{"from":"${at(0)}","to":"${at(10)}","group_by":["host","agent"],"interval":"1m","compare":"previous","top":1}`,
    `{"from":"${at(0)}","to":"${at(10)}","agents":["new"],"interval":"5m","filter":"host = nowhere"}`,
    '{"group_by":["host","node"],"top_mode":"each","top":1,"series":true,"interval":"1d","range":"7d"}',
  ],
  'POST /api/v1/query/batch': [
    '{"common":{"range":"7d"},"queries":[{"id":"a"},{"id":"b","group_by":["host"]},{"id":"c","filter":"host ="}]}',
  ],
  'GET /api/v1/tokens': [''],
  'POST /api/v1/tokens': [
    '{"name":"reader","scope":"read"}',
    '{"name":"agent","scope":"agent","agent_id":"new","expires":"2999-01-01T00:00:00Z"}',
  ],
  'DELETE /api/v1/tokens/:id': ['1'],
  'POST /api/v1/storage/backup': ['{}'],
  'POST /api/v1/sync': [JSON.stringify(v1Body('old', []))],
  'POST /api/v2/sync': [JSON.stringify(v2Body('third', { samples: [[0, 1]] }))],
};

describe('real answers of a real master are as its routes say', () => {
  // What is made comes before what is listed, and that before what is revoked.
  const order = ['POST', 'GET', 'DELETE'];
  const routes = [...check.routes].sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));

  it.each(routes.map(({ method, url }) => [`${method} ${url}`, method, url]))(
    '%s',
    async (name, method, url) => {
      const requests = REQUESTS[name];
      expect(requests, 'a route without a request that succeeds').toBeDefined();
      for (const more of requests ?? []) {
        const isBody = method === 'POST';
        const path = url.includes(':') ? url.replace(/:\w+(?:\/:\w+)*/, more) : isBody ? url : url + more;
        await master.flusher.drain();
        // Held against the contract by `ask`.
        const { status } = await master.ask(method, path, isBody ? { body: more } : {});
        expect(status, path).toBe(200);
      }
    },
  );

  it('among them are rows of every kind', async () => {
    const [fresh, old] = (await master.get('/agents')).body.data;
    expect(fresh).toMatchObject({ agent_id: 'new', protocol: 2, conflict: { reason: expect.any(String) } });
    expect(old).toMatchObject({ agent_id: 'old', protocol: 1, quarantined: 1, conflict: null });
    const verified = (await master.get(`/verify?group=range&${RANGE}`)).body.data;
    expect(verified.map((row: { state: string }) => row.state)).toEqual(['balanced', 'not measured']);
    expect(verified[0].gaps).toHaveLength(2);
    expect((await master.get('/stats?type=group&group_by=host&limit=1')).body.meta.other).not.toBeNull();
    const series = (await master.get(`/stats?type=timeseries&interval=minute&agent_id=new&${RANGE}`)).body
      .data;
    expect(series.some((point: { state?: string }) => point.state === 'gap')).toBe(true);
  });
});

describe('what is said of answers', () => {
  const fits: GivenAnswer = {
    method: 'GET',
    path: '/api/v1/filter-options?filter_type=host',
    status: 200,
    contentType: 'application/json; charset=utf-8',
    body: { status: 'success', data: [{ value: 'a', label: 'a', field: 'host', total: 5 }], message: null },
  };
  const failed = { status: 'error', data: null, message: 'x', code: 'unauthorized', hint: 'y' };

  it('is what they are', () => {
    check.hold(fits);
    check.hold({ ...fits, status: 401, body: failed });
    check.hold({ ...fits, path: '/nowhere', status: 404, body: { ...failed, code: 'not_found' } });
  });

  it.each<[string, Partial<GivenAnswer>]>([
    ['a field too many', { body: { ...(fits.body as object), more: 1 } }],
    [
      'one too many in a row',
      { body: { status: 'success', data: [{ value: 'a', label: 'a', field: 'a', x: 1 }], message: null } },
    ],
    ['a field too few', { body: { status: 'success', data: [{ value: 'a' }], message: null } }],
    [
      'another type',
      { body: { status: 'success', data: [{ value: 1, label: 'a', field: 'a' }], message: null } },
    ],
    ['another medium', { contentType: 'text/csv' }],
    ['a failure that is no envelope', { status: 500, body: 'x' }],
    ['a code of another status', { status: 400, body: failed }],
    ['a code that this route never said', { status: 409, body: { ...failed, code: 'name_taken' } }],
    ['a code of no catalogue', { status: 400, body: { ...failed, code: 'oops' } }],
  ])('and nothing else: %s', (_name, different) => {
    expect(() => check.hold({ ...fits, ...different })).toThrow('GET /api/v1/filter-options');
  });
});
