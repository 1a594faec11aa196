import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VERSION } from '../../common/program.ts';
import type { AgentRow } from '../records/query.ts';
import { BEARER, NO_RECORDS, testApp, testTokens } from './http.test-support.ts';

const NOW = Date.UTC(2026, 0, 10, 12, 0, 30);
const DAY = 86_400_000;

let now: number;
let master: ReturnType<typeof make>;

function make(apiToken: string | null = BEARER.authorization.slice(7)) {
  const { tokens, table } = testTokens(() => now);
  const app = testApp({ apiToken }, { tokens, now: () => now });
  const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, payload?: object, token?: string) => {
    const answer = await app.inject({
      method,
      url: `/api/v1${path}`,
      headers: token === undefined ? BEARER : { authorization: `Bearer ${token}` },
      ...(payload && { payload }),
    });
    return { status: answer.statusCode, body: answer.json() };
  };
  return { app, tokens, table, ask };
}
beforeEach(() => {
  now = NOW;
  master = make();
});
afterEach(() => master.app.close());

describe('POST /tokens', () => {
  it('answers the secret, once; what is kept is its hash', async () => {
    const { ask, table } = master;
    const body = {
      name: ' 路由器 ',
      scope: 'agent',
      agent_id: ' home ',
      expires: '2026-02-01T08:00:00+08:00',
    };
    const made = await ask('POST', '/tokens', body);
    const row = {
      id: 1,
      name: '路由器',
      scope: 'agent',
      agent_id: 'home',
      created: '2026-01-10T12:00:30.000Z',
      expires: '2026-02-01T00:00:00.000Z',
      last_used: null,
    };
    expect(made).toEqual({
      status: 200,
      body: { status: 'success', data: { ...row, secret: expect.stringMatching(/^mct_/) }, message: null },
    });
    expect((await ask('GET', '/tokens')).body.data).toEqual([row]);
    expect(JSON.stringify(table.all())).not.toContain(made.body.data.secret);
  });

  it.each<[string, object, [string, string][]]>([
    [
      'nothing',
      {},
      [
        ['name', 'is required'],
        ['scope', 'is required'],
      ],
    ],
    [
      'everything wrong',
      { name: 7, scope: 'owner', agent_id: [], filter: 'x' },
      [
        ['name', 'must be a text'],
        ['scope', 'must be one of agent, read, admin'],
        ['agent_id', 'must be a text'],
        ['filter', 'is no field here'],
      ],
    ],
    ['an agent without id', { name: 'a', scope: 'agent' }, [['agent_id', 'is required for scope "agent"']]],
    [
      'an id without agent',
      { name: 'a', scope: 'read', agent_id: 'b' },
      [['agent_id', 'is for scope "agent" only']],
    ],
    [
      'an id that is none',
      { name: 'a', scope: 'agent', agent_id: 'a\u202eb' },
      [['agent_id', 'without controls']],
    ],
    [
      'the id of the agent inside',
      { name: 'a', scope: 'agent', agent_id: 'LOCAL' },
      [['agent_id', 'own agent']],
    ],
    [
      'an end that is past',
      { name: 'a', scope: 'read', expires: '2026-01-10T12:00:30Z' },
      [['expires', 'is past']],
    ],
    ['an end that is none', { name: 'a', scope: 'read', expires: 'soon' }, [['expires', 'ISO 8601']]],
    [
      'an end without a zone',
      { name: 'a', scope: 'read', expires: '2026-02-01' },
      [['expires', 'has no zone']],
    ],
    ['an empty name', { name: ' ', scope: 'read' }, [['name', '1 to 64 characters']]],
    ['a name like a number', { name: '12', scope: 'read' }, [['name', 'not digits alone']]],
    ['a name that hides', { name: 'a\u200fb', scope: 'read' }, [['name', '1 to 64 characters']]],
  ])('refuses %s', async (_name, body, expected) => {
    const answer = await master.ask('POST', '/tokens', body);
    expect([answer.status, answer.body.code]).toEqual([400, 'bad_request']);
    expect(answer.body.details).toHaveLength(expected.length);
    for (const [field, problem] of expected) {
      const detail = answer.body.details.find((candidate: { field: string }) => candidate.field === field);
      expect(detail?.problem).toContain(problem);
    }
    expect(master.table.all()).toEqual([]);
  });

  it('refuses a name that is taken', async () => {
    await master.ask('POST', '/tokens', { name: 'a', scope: 'read' });
    expect(await master.ask('POST', '/tokens', { name: 'a', scope: 'admin' })).toMatchObject({
      status: 409,
      body: { code: 'name_taken' },
    });
  });
});

describe('DELETE /tokens/{id}', () => {
  it('ends a token at once, and is 404 from then on', async () => {
    const { ask } = master;
    const { id, secret } = (await ask('POST', '/tokens', { name: 'a', scope: 'read' })).body.data;
    expect((await ask('GET', '/session', undefined, secret)).status).toBe(200);
    expect(await ask('DELETE', `/tokens/${id}`)).toEqual({
      status: 200,
      body: { status: 'success', data: null, message: null },
    });
    expect((await ask('GET', '/session', undefined, secret)).status).toBe(401);
    expect((await ask('GET', '/tokens')).body.data).toEqual([]);
    expect(await ask('DELETE', `/tokens/${id}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it.each(['x', '0', '-1', '1e3', '01', '99999999999999999999'])('%s is 404', async (id) => {
    expect(await master.ask('DELETE', `/tokens/${id}`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  it('takes neither parameters nor a body', async () => {
    expect(await master.ask('DELETE', '/tokens/1?force=1')).toMatchObject({
      status: 400,
      body: { details: [{ field: 'force', problem: 'is no parameter of this path' }] },
    });
    expect(await master.ask('DELETE', '/tokens/1', { id: 2 })).toMatchObject({
      status: 400,
      body: { code: 'body_invalid' },
    });
  });

  it('can end the token that asks', async () => {
    const { ask } = master;
    const { id, secret } = (await ask('POST', '/tokens', { name: 'a', scope: 'admin' })).body.data;
    expect((await ask('DELETE', `/tokens/${id}`, undefined, secret)).status).toBe(200);
    expect((await ask('GET', '/tokens', undefined, secret)).status).toBe(401);
  });
});

describe('GET /tokens', () => {
  it('shows the last use, to the minute', async () => {
    const { ask } = master;
    const { secret } = (await ask('POST', '/tokens', { name: 'a', scope: 'read' })).body.data;
    now = NOW + DAY;
    await ask('GET', '/session', undefined, secret);
    expect((await ask('GET', '/tokens')).body.data).toMatchObject([
      { last_used: '2026-01-11T12:00:00.000Z' },
    ]);
  });
});

describe('GET /session', () => {
  const session = {
    auth: 'token',
    scope: 'admin',
    scope_filter: null,
    first_run: true,
    version: VERSION,
    time: '2026-01-10T12:00:30.000Z',
    tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
    warnings: [],
  };
  const token = async (scope: 'agent' | 'read' | 'admin', expires: number | null = null) =>
    (await master.tokens.create({ name: scope, scope, agentId: scope === 'agent' ? 'a' : null, expires }))
      .secret;
  const of = async (secret?: string) => (await master.ask('GET', '/session', undefined, secret)).body.data;

  it('says what the caller may do', async () => {
    expect(await of()).toEqual(session);
    expect(await of(await token('read'))).toEqual({ ...session, scope: 'read' });
    expect(await of(await token('admin'))).toEqual(session);
  });

  it('is nothing for agents: 403', async () => {
    const answer = await master.ask('GET', '/session', undefined, await token('agent'));
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'forbidden', message: 'this needs the right "read"' },
    });
  });

  it('warns of a token that ends within two weeks', async () => {
    const secret = await token('read', NOW + 14 * DAY);
    expect((await of(secret)).warnings).toEqual([]);
    now++;
    expect((await of(secret)).warnings).toEqual(['token_expires_soon']);
  });

  it('says to whom it is open without a token, and warns of it', async () => {
    const open = testApp({ apiToken: null, host: '0.0.0.0' }, { now: () => NOW });
    const from = async (remoteAddress: string, app = open) =>
      (await app.inject({ url: '/api/v1/session', remoteAddress })).json().data;
    const warned = { ...session, auth: 'none', warnings: ['open_to_network'] };
    expect(await from('127.0.0.1')).toEqual(warned);
    expect(await from('192.168.1.2')).toEqual({ ...warned, scope: 'read' });
    const unreachable = testApp({ apiToken: null, host: '127.0.0.1' }, { now: () => NOW });
    expect(await from('127.0.0.1', unreachable)).toEqual({ ...warned, warnings: [] });
    await Promise.all([open.close(), unreachable.close()]);
  });

  it('knows when it is no longer the first run', async () => {
    const records = { ...NO_RECORDS, agents: async () => [{ agentId: 'a' } as AgentRow] };
    const app = testApp({}, { records });
    const answer = await app.inject({ url: '/api/v1/session', headers: BEARER });
    expect(answer.json().data.first_run).toBe(false);
    await app.close();
  });
});
