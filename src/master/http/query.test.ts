import { describe, expect, it } from 'vitest';
import type { AgentRow } from '../records/query.ts';
import { BEARER, FakeServices, NO_RECORDS, testApp } from './http.test-support.ts';

const NOW = Date.UTC(2026, 5, 15, 12);
const AGENTS = ['home', 'office'];

/** Asks, and gives what the service was asked beside the answer. */
async function post(path: string, payload: object) {
  const services = new FakeServices();
  const agents = async () => AGENTS.map((agentId) => ({ agentId }) as AgentRow);
  const records = { ...NO_RECORDS, agents };
  const app = testApp({}, { traffic: services.traffic, records, now: () => NOW });
  const answer = await app.inject({ method: 'POST', url: `/api/v1${path}`, headers: BEARER, payload });
  return { status: answer.statusCode, body: answer.json(), asked: services.asked };
}

const DEFAULTS = {
  from: undefined,
  to: undefined,
  tz: 'UTC',
  agents: null,
  filter: null,
  overlay: false,
  groupBy: [],
  metrics: ['download', 'upload', 'total'],
  interval: null,
  top: 10,
  topBy: 'download',
  topMode: 'combination',
  compare: null,
};

describe('POST /query', () => {
  it('asks for everything where nothing is said', async () => {
    const { status, body, asked } = await post('/query', {});
    expect(status).toBe(200);
    expect(asked).toEqual([DEFAULTS]);
    expect(body).toMatchObject({ status: 'success', message: null, meta: { tier: 'half_hour' } });
  });

  it('takes every part', async () => {
    const { asked } = await post('/query', {
      from: '2026-06-01',
      to: '2026-06-02T08:00',
      tz: 'Europe/Berlin',
      agents: ['home'],
      filter: 'host = a.example and not node = hk',
      overlay: true,
      group_by: ['site', 'hour_of_week'],
      metrics: ['connections', 'recovered'],
      interval: '6h',
      top: 3,
      top_by: 'total',
      top_mode: 'each',
      series: true,
      compare: { from: '2026-05-01', to: '2026-05-02' },
    });
    expect(asked).toEqual([
      {
        from: Date.parse('2026-05-31T22:00Z'),
        to: Date.parse('2026-06-02T06:00Z'),
        tz: 'Europe/Berlin',
        agents: ['home'],
        filter: expect.objectContaining({ kind: 'and' }),
        overlay: true,
        groupBy: ['site', 'hour_of_week'],
        metrics: ['connections', 'recovered'],
        interval: '6h',
        top: 3,
        topBy: 'total',
        topMode: 'each',
        compare: { from: Date.parse('2026-04-30T22:00Z'), to: Date.parse('2026-05-01T22:00Z') },
      },
    ]);
  });

  it('finds an interval for a series without one', async () => {
    const { asked } = await post('/query', { range: '24h', series: true, compare: 'previous' });
    expect(asked).toEqual([
      { ...DEFAULTS, from: NOW - 86_400_000, to: NOW, interval: 'auto', compare: 'previous' },
    ]);
  });

  it('says all that is wrong at once, each by its place', async () => {
    const { status, body, asked } = await post('/query', {
      range: 'fortnight',
      tz: 'Mars/Olympus',
      group_by: ['host', 'colour'],
      metrics: [],
      interval: '7h',
      top: 0,
      filter: 'hots = a or network >',
      comparison: null,
    });
    expect([status, body.code, asked]).toEqual([400, 'bad_request', []]);
    const fields = body.details.map(({ field }: { field: string }) => field);
    expect(fields).toEqual(
      expect.arrayContaining([
        'range',
        'tz',
        'group_by[1]',
        'metrics',
        'interval',
        'top',
        'filter',
        'comparison',
      ]),
    );
  });

  it.each([
    [{ range: '7d', from: '2026-01-01' }, 'range'],
    [{ from: '2026-01-02', to: '2026-01-01' }, 'to'],
    [{ compare: { from: '2026-01-02', to: '2026-01-01' } }, 'compare.to'],
    [{ series: true, interval: null }, 'series'],
    [{ series: false, interval: 'hour' }, 'interval'],
    [{ group_by: ['host', 'host'] }, 'group_by'],
    [{ group_by: ['host', 'rule', 'node', 'agent', 'device'] }, 'group_by'],
  ])('refuses %j', async (payload, field) => {
    const { status, body } = await post('/query', payload);
    expect([status, body.code, body.details[0].field]).toEqual([400, 'bad_request', field]);
  });

  it.each([
    ['/query', ''],
    ['/export/ticket', 'query.'],
  ])(
    'says of %s at once what only the data knows, and what follows from parts together',
    async (path, place) => {
      const query = {
        agents: ['home', 'attic', 'cellar'],
        filter: 'hots = a',
        compare: { from: '2026-01-02', to: '2026-01-01' },
        group_by: ['recovered'],
        top_by: 'connections',
      };
      const { status, body } = await post(path, place === '' ? query : { format: 'csv', query });
      expect([status, body.code]).toEqual([400, 'bad_request']);
      expect(body.details).toMatchObject([
        { field: `${place}compare.to` },
        { field: `${place}agents`, problem: 'there is no agent "attic", "cellar"' },
        { field: `${place}filter`, at: [0, 4] },
        {
          field: `${place}top_by`,
          problem: expect.stringContaining('cannot be "connections" when grouped by recovered'),
        },
      ]);
    },
  );

  it.each([
    [{ top_by: 'connections' }, 'top_by', 'cannot be "connections"'],
    [
      { metrics: ['connections', 'total'] },
      'metrics',
      'ranks the groups by "connections", which cannot be done',
    ],
  ])('names what was given where groups cannot be ranked: %j', async (given, field, problem) => {
    for (const more of [{ group_by: ['recovered'] }, { filter: 'hour_of_week < 7' }]) {
      const { body } = await post('/query', { ...given, ...more });
      expect(body.details).toMatchObject([{ field, problem: expect.stringContaining(problem) }]);
    }
    const ranked = { metrics: ['connections'], top_by: 'total', group_by: ['recovered'] };
    expect((await post('/query', ranked)).status).toBe(200);
  });

  it('has a code of its own for a filter that cannot be read, with places and hints', async () => {
    const { body } = await post('/query', { filter: 'hots = a and (network = tcp' });
    expect(body.code).toBe('filter_invalid');
    expect(body.details[0]).toMatchObject({
      field: 'filter',
      at: [0, 4],
      hint: expect.stringContaining('host'),
    });
  });
});

describe('POST /query/batch', () => {
  it('answers each by its id, with what they share', async () => {
    const { body, asked } = await post('/query/batch', {
      common: { range: '24h', tz: 'Asia/Tehran', metrics: ['total'] },
      queries: [{ id: 'all' }, { id: 'sites', group_by: ['site'], from: '2026-06-01' }],
    });
    expect(Object.keys(body.data)).toEqual(['all', 'sites']);
    expect(body.data.all).toMatchObject({ status: 'success', meta: { tier: 'half_hour' } });
    expect(asked).toMatchObject([
      { tz: 'Asia/Tehran', from: NOW - 86_400_000, to: NOW, metrics: ['total'], groupBy: [] },
      { tz: 'Asia/Tehran', from: Date.parse('2026-05-31T20:30Z'), to: undefined, groupBy: ['site'] },
    ]);
  });

  it('costs the others nothing when one is wrong', async () => {
    const { status, body } = await post('/query/batch', {
      queries: [
        { id: 'good' },
        { id: 'bad', group_by: ['colour'], top: 0 },
        { id: 'unreadable', filter: 'host =' },
      ],
    });
    expect(status).toBe(200);
    expect(body.data.good.status).toBe('success');
    expect(body.data.bad).toMatchObject({
      status: 'error',
      code: 'bad_request',
      details: [{ field: 'group_by[0]' }, { field: 'top' }],
    });
    expect(body.data.unreadable).toMatchObject({ status: 'error', code: 'filter_invalid' });
  });

  it.each([
    [{ queries: [] }, 'queries'],
    [{ queries: Array.from({ length: 13 }, (_, id) => ({ id: `q${id}` })) }, 'queries'],
    [{ queries: [{}] }, 'queries[0].id'],
    [{ queries: [{ id: 'a' }, { id: 'a' }] }, 'queries[1].id'],
    [{ queries: [5] }, 'queries[0].id'],
    [{ common: { top: 'all' }, queries: [{ id: 'a' }] }, 'common.top'],
  ])('refuses %j as a whole', async (payload, field) => {
    const { status, body } = await post('/query/batch', payload);
    expect([status, body.details?.[0].field]).toEqual([400, field]);
  });

  it('takes any text as an id', async () => {
    const { body } = await post('/query/batch', { queries: [{ id: '__proto__' }, { id: 'constructor' }] });
    expect(Object.keys(body.data)).toEqual(['__proto__', 'constructor']);
  });
});
