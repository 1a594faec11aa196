import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GROUP_KEYS } from '../query/group-keys.ts';
import { createRecords, insertRecord, type TestRecords } from '../records/records.test-support.ts';
import { RecordsReader } from '../records/records-reader.ts';
import type { HttpDeps } from './deps.ts';
import { BEARER, FakeServices, GROUPS, OPTIONS, testApp, testDeps } from './http.test-support.ts';
import { HttpServer } from './server.ts';

const NOW = Date.UTC(2026, 0, 10, 12);
const DAY = 86_400_000;
const services = new FakeServices();
const { stats, catalogue } = services;
let files: TestRecords;
let records: RecordsReader;

beforeAll(() => {
  files = createRecords();
  records = new RecordsReader({ path: files.path });
  records.start();
  insertRecord(files.db, {
    id: 'c1',
    agent_id: '路由器',
    host: 'www.example.com',
    process: 'curl',
    rule: 'Match',
    start_ms: NOW - 1000,
    download: 7,
  });
  files.db
    .prepare(
      `INSERT INTO agents (agent_id, first_seen, last_contact, protocol, version, core_version, core_state,
         last_snapshot, clock_offset_ms, backlog, interval_s, sample_interval_ms, quarantined, journal_bytes,
         journal_budget, booked_to, records, measured)
       VALUES ('路由器', ?, ?, 2, '1.0.0', 'v1.19.0', 'connected', ?, 5, 9, 60, 1000, 1, 4096, 536870912, ?, 1, 1),
              ('old', ?, ?, 1, '', '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`,
    )
    .run(NOW - DAY, NOW - 100_000, NOW - 500, NOW / 60_000 - 1, NOW - DAY, NOW - 181_000);
});
afterAll(async () => {
  await records.stop();
  files.remove();
});

async function get(path: string, deps: object = {}) {
  const app = testApp({}, { records, stats, catalogue, now: () => NOW, ...deps });
  const answer = await app.inject({ url: `/api/v1${path}`, headers: BEARER });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

describe('what the original answers', () => {
  it('GET /health: OK as text, to everybody', async () => {
    const answer = await testApp().inject('/api/v1/health');
    expect([answer.statusCode, answer.body]).toEqual([200, 'OK']);
    expect(answer.headers['content-type']).toContain('text/plain');
  });

  it.each([
    ['/stats?type=summary', { count: 1, download: 2, upload: 3, total: 5 }],
    ['/stats?type=group&group_by=network', GROUPS],
    [
      '/stats?type=timeseries&interval=hour&metric=total&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z',
      [{ time: '2026-01-01T00:00:00Z', value: 1 }],
    ],
    [
      '/filter-options?filter_type=network&query=t&limit=5',
      [{ value: 'tcp', label: 'tcp', field: 'network' }],
    ],
  ])('GET %s', async (path, data) => {
    const { status, body } = await get(path);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'success', data, message: null });
  });

  it('asks for statistics in epoch milliseconds, with the defaults of the original', async () => {
    const asked = new FakeServices();
    const deps = { stats: asked.stats };
    await get('/stats?type=timeseries&from=2026-01-01T08:00:00%2B08:00&agent_id=a&tz=europe/berlin', deps);
    await get('/stats?type=group&group_by=chains&chains=HK', deps);
    expect(asked.asked).toEqual([
      {
        from: Date.UTC(2026, 0, 1),
        to: undefined,
        tz: 'Europe/Berlin',
        filters: { agent_id: 'a' },
        interval: 'day',
        metric: 'connections',
      },
      {
        from: undefined,
        to: undefined,
        filters: { chains: 'HK' },
        groupBy: 'chains',
        sortBy: 'count',
        sortOrder: 'desc',
        limit: undefined,
      },
    ]);
  });

  it('GET /connections: records, their number beside them', async () => {
    const { body } = await get('/connections?host=www.example.com&sort_by=download&limit=5');
    expect(body).toMatchObject({
      status: 'success',
      message: null,
      total_count: 1,
      meta: { count_capped: false, next_cursor: null },
    });
    expect(body.data[0]).toMatchObject({ id: 'c1', agent_id: '路由器', download: 7, closed_at: null });
  });

  it('GET /agents: both spellings, and what we add', async () => {
    services.totals = [{ agent: '路由器', count: 1, download: 10, upload: 5, total: 15 }];
    const { body } = await get('/agents');
    expect(body.data).toHaveLength(2);
    const at = (ms: number) => new Date(ms).toISOString();
    expect(body.data[1]).toEqual({
      agent_id: '路由器',
      id: '路由器',
      last_sync: at(NOW - 100_000),
      last_active: at(NOW - 100_000),
      connection_count: 1,
      connections_count: 1,
      total_download: 10,
      total_upload: 5,
      total_traffic: 15,
      status: 'online',
      version: '1.0.0',
      protocol: 2,
      core: { version: 'v1.19.0', state: 'connected' },
      last_snapshot: at(NOW - 500),
      clock_offset_ms: 5,
      backlog: { rows: 9 },
      sync_interval: 60,
      sample_interval: 1000,
      booked_to: at(NOW - 60_000),
      quarantined: 1,
      journal: { bytes: 4096, budget: 536_870_912 },
      lost: { connections: 0, download: 0, upload: 0 },
      conflict: null,
    });
    expect(body.data[0]).toMatchObject({ agent_id: 'old', status: 'offline', total_traffic: 0 });
  });

  it('GET /agents/{id}/status: the same, with networks and rules; 404 for an unknown one', async () => {
    const { body } = await get(`/agents/${encodeURIComponent('路由器')}/status`);
    expect(body.data).toMatchObject({
      agent_id: '路由器',
      is_active: true,
      status: 'online',
      networks: [{ network: 'tcp', count: 1, download: 2, upload: 3 }],
      rules: [{ rule: 'Match', count: 1, download: 2, upload: 3 }],
    });
    expect(await get('/agents/nobody/status')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

describe('bad parameters', () => {
  it.each([
    ['/stats', [['type', 'is required']]],
    ['/stats?type=group', [['group_by', 'is required for type=group']]],
    ['/stats?type=sumary', [['type', 'did you mean "summary"?']]],
    [
      '/stats?type=group&group_by=hots&sort_by=bytes&sort_order=up',
      [
        ['group_by', 'did you mean "host"?'],
        ['sort_by', 'must be one of count, download, upload, total'],
        ['sort_order', 'must be one of asc, desc'],
      ],
    ],
    ['/stats?type=summary&agentid=a', [['agentid', 'did you mean "agent_id"?']]],
    ['/stats?type=summary&zzzzzzzz=a', [['zzzzzzzz', 'is no parameter']]],
    ['/stats?type=summary&source_port=1', [['source_port', 'on connection records only']]],
    ['/stats?type=group&group_by=uid', [['group_by', 'on connection records only']]],
    ['/stats?type=timeseries&interval=7m', [['interval', 'multiple such as 5m']]],
    ['/stats?type=timeseries&metric=speed', [['metric', 'must be one of']]],
    ['/stats?type=summary&tz=Mars/Base', [['tz', 'IANA']]],
    ['/stats?type=summary&tz=%2B08:00', [['tz', 'IANA']]],
    ['/stats?type=summary&from=2026-01-01', [['from', 'has no zone']]],
    ['/stats?type=summary&from=2026-01-01T00:00:00', [['from', 'has no zone']]],
    ['/stats?type=summary&from=2026-01-01T00:00:00+08:00', [['from', '%2B']]],
    ['/stats?type=summary&to=2026-02-30T00:00:00Z', [['to', 'no time that exists']]],
    ['/stats?type=summary&to=tomorrow', [['to', 'ISO 8601']]],
    [
      '/stats?type=summary&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z',
      [['to', 'must be after "from"']],
    ],
    ['/stats?type=summary&type=group', [['type', 'more than once']]],
    ['/connections?limit=0', [['limit', 'at least 1']]],
    ['/connections?limit=1001', [['limit', 'at most 1000']]],
    ['/connections?limit=4294967295', [['limit', 'at most 1000']]],
    ['/connections?limit=', [['limit', 'whole number']]],
    ['/connections?limit=1e2', [['limit', 'whole number']]],
    ['/connections?limit=0x10', [['limit', 'whole number']]],
    ['/connections?limit=%205', [['limit', 'whole number']]],
    ['/connections?limit=5.5', [['limit', 'whole number']]],
    ['/connections?offset=-1', [['offset', 'at least 0']]],
    ['/connections?limit=1&limit=2', [['limit', 'more than once']]],
    ['/connections?route=tunnel', [['route', 'direct, proxied, reject']]],
    ['/connections?destination_port=70000', [['destination_port', '0 to 65535']]],
    ['/connections?cursor=abc', [['cursor', 'not one of this master']]],
    ['/connections?cursor=abc&offset=5', [['offset', 'cannot be combined']]],
    ['/connections?sort_by=count', [['sort_by', 'must be one of start']]],
    ['/connections?__proto__=x', [['__proto__', 'is no parameter']]],
    [
      '/connections?limit=0&from=x&sort_by=y&hots=z&offset=a',
      [
        ['hots', 'did you mean'],
        ['from', 'ISO 8601'],
        ['sort_by', 'must be one of'],
        ['limit', 'at least 1'],
        ['offset', 'whole number'],
      ],
    ],
    ['/agents?x=1', [['x', 'is no parameter']]],
    ['/ready?x=1', [['x', 'is no parameter']]],
    ['/agents/a/status?x=1', [['x', 'is no parameter']]],
    ['/filter-options', [['filter_type', 'is required']]],
    ['/filter-options?filter_type=dns_mode', [['filter_type', 'on connection records only']]],
    ['/verify?group=week', [['group', 'day, month, range']]],
  ])('%s', async (path, expected) => {
    const { status, body } = await get(path);
    expect(status).toBe(400);
    expect(body).toMatchObject({ status: 'error', data: null, code: 'bad_request' });
    expect(body.details).toHaveLength(expected.length);
    for (const [field, problem] of expected) {
      const detail = body.details.find((candidate: { field: string }) => candidate.field === field);
      expect(detail?.problem).toContain(problem);
    }
  });
});

describe('hostile text', () => {
  const nasty = [
    "' OR 1=1 --",
    '1; DELETE FROM connections; --',
    '") UNION SELECT sql FROM sqlite_master --',
    '%',
    '_',
    '\\',
    '[a-z]*',
    '\u0000 ',
    '💥'.repeat(50),
    '$1',
    '?1',
    ':x',
    'NULL',
  ];

  it('in any filter of /connections finds nothing, or is refused', async () => {
    for (const name of GROUP_KEYS) {
      for (const value of nasty) {
        const { status, body } = await get(`/connections?${name}=${encodeURIComponent(value)}`);
        if (status !== 400) {
          expect([status, body.data], `${name}=${value}`).toEqual([200, []]);
        }
      }
    }
    expect((await get('/connections')).body.total_count).toBe(1);
  });

  it('reaches statistics as it is, as a value only', async () => {
    for (const name of GROUP_KEYS) {
      const asked = new FakeServices();
      const { status } = await get(`/stats?type=summary&${name}=${encodeURIComponent("' OR 1=1")}`, {
        stats: asked.stats,
      });
      if (status === 400) expect(['route', 'destination_port']).toContain(name);
      else expect(asked.asked).toMatchObject([{ filters: { [name]: "' OR 1=1" } }]);
    }
  });

  it('in any parameter of any question never becomes a failure of the master', async () => {
    const app = testApp({}, { records, stats, catalogue, now: () => NOW });
    const paths = ['/stats', '/connections', '/filter-options', '/verify', '/agents'];
    const names = [
      'type',
      'group_by',
      'from',
      'to',
      'tz',
      'limit',
      'cursor',
      'sort_by',
      'interval',
      'agent',
      'x',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary', maxLength: 30 })),
        async (path, query) => {
          const text = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
          const answer = await app.inject({ url: `/api/v1${path}?${text.join('&')}`, headers: BEARER });
          expect([200, 400]).toContain(answer.statusCode);
          expect(['success', 'error']).toContain(answer.json().status);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a client that hangs up', () => {
  it('ends the work on its answer', async () => {
    const gone = Promise.withResolvers<unknown>();
    const asked = Promise.withResolvers<void>();
    const waiting: HttpDeps['stats'] = {
      ...stats,
      summary: (_question, options) => {
        asked.resolve();
        return new Promise((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => {
            gone.resolve(options.signal?.reason);
            reject(options.signal?.reason as Error);
          });
        });
      },
    };
    const server = new HttpServer({ ...testDeps(), stats: waiting }, OPTIONS);
    await server.start();
    const client = new AbortController();
    const url = `http://127.0.0.1:${server.port}/api/v1/stats?type=summary`;
    const answer = fetch(url, { headers: BEARER, signal: client.signal }).catch(() => 'aborted');
    await asked.promise;
    client.abort();
    expect(await answer).toBe('aborted');
    expect(await gone.promise).toMatchObject({ code: 'timeout' });
    await server.stop();
  });
});

describe('every answer', () => {
  it('carries the security headers, errors included', async () => {
    for (const path of ['/agents', '/nothing', '/stats']) {
      expect((await get(path)).headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
    }
  });

  it.each([
    ['GET', '/api/v1/nothing', 404, 'not_found', undefined],
    ['GET', '/', 404, 'not_found', undefined],
    ['GET', '/api/v1/agents/a%2Fb/status/x', 404, 'not_found', undefined],
    ['POST', '/api/v1/stats', 405, 'method_not_allowed', 'GET, HEAD'],
    ['DELETE', '/api/v1/agents/a/status', 405, 'method_not_allowed', 'GET, HEAD'],
    ['GET', '/api/v1/sync', 405, 'method_not_allowed', 'POST'],
    ['PUT', '/api/v2/sync', 405, 'method_not_allowed', 'POST'],
    ['OPTIONS', '/api/v1/stats', 405, 'method_not_allowed', 'GET, HEAD'],
    ['GET', '/api/v1/agents/%zz/status', 400, 'bad_request', undefined],
  ])('%s %s is %i in the envelope', async (method, url, status, code, allow) => {
    const answer = await testApp().inject({ method: method as 'GET', url, headers: BEARER });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers.allow).toBe(allow);
    const body = answer.json();
    expect(body).toMatchObject({ status: 'error', data: null, code });
    expect(body.message.length).toBeGreaterThan(0);
    expect(body.hint.length).toBeGreaterThan(0);
  });

  it('keeps the inside of a failure inside', async () => {
    const failing = {
      summary: async () => {
        throw new Error('SQLITE_CORRUPT: /var/lib/master.db select secret');
      },
    };
    const { status, body } = await get('/stats?type=summary', { stats: failing });
    expect(status).toBe(500);
    expect(body).toMatchObject({ status: 'error', data: null, code: 'internal' });
    expect(JSON.stringify(body)).not.toMatch(/SQLITE|secret|master\.db/);
  });
});
