import { afterAll, describe, expect, it } from 'vitest';
import { Bench, NOW } from './bench.test-support.ts';
import { FakeServices, GROUPS, testApp } from './http.test-support.ts';

const bench = new Bench();
afterAll(() => bench.close());
const get = bench.get.bind(bench);

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
        filter: null,
        interval: 'day',
        metric: 'connections',
      },
      {
        from: undefined,
        to: undefined,
        tz: 'UTC',
        filters: { chains: 'HK' },
        filter: null,
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
    bench.services.totals = [{ agent: '路由器', count: 1, download: 10, upload: 5, total: 15 }];
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
