import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { TokenScope } from '../../domain/token.ts';
import { classifyAddress, clientKey, normalizeAddress } from './address.ts';
import { BEARER, OPTIONS, TOKEN, testApp, testDeps, testTokens } from './http.test-support.ts';
import { SCOPES } from './scope.ts';
import { HttpServer } from './server.ts';

/** A path that the pattern of a route matches. */
const concrete = (url: string): string => url.replace(/:\w+/g, 'x');

/** Whether the guard let it pass: any answer but 401, 403 and 429 is the route's own. */
const passed = (status: number): boolean => ![401, 403, 429].includes(status);

const CLIENTS = [
  ['loopback', '127.0.0.1', ['none', 'agent', 'read', 'admin']],
  ['loopback, IPv6', '::1', ['none', 'agent', 'read', 'admin']],
  ['loopback, mapped', '::ffff:127.0.0.1', ['none', 'agent', 'read', 'admin']],
  ['RFC 1918', '192.168.1.20', ['none', 'agent', 'read']],
  ['RFC 1918, mapped', '::ffff:10.1.2.3', ['none', 'agent', 'read']],
  ['ULA', 'fd12:3456::1', ['none', 'agent', 'read']],
  ['link-local', 'fe80::1', ['none', 'agent', 'read']],
  ['link-local, IPv4', '169.254.3.4', ['none', 'agent', 'read']],
  ['CGNAT', '100.64.0.1', ['none']],
  ['public', '203.0.113.9', ['none']],
  ['public, mapped', '::ffff:203.0.113.9', ['none']],
  ['public, IPv6', '2001:db8::1', ['none']],
] as const;

/** Who presents what, and the scopes of routes that it may then use; a number: it is refused everywhere with it. */
const CREDENTIALS = [
  ['nothing', 401],
  ['a wrong token', 401],
  ['a prefix of a right one', 401],
  ['a right one by another scheme', 401],
  ['--api-token', ['none', 'agent', 'read', 'admin']],
  ['a token of an agent', ['none', 'agent']],
  ['a token to read', ['none', 'read']],
  ['a token of an administrator', ['none', 'agent', 'read', 'admin']],
  ['a token that expired', 401],
  ['a token that was revoked', 401],
] as const;
type Credential = (typeof CREDENTIALS)[number][0];

const END = Date.UTC(2026, 0, 1);

/** A master with tokens of every kind, and what is presented to it. Each request comes a minute after the one before. */
async function masterWithTokens(apiToken: string | null, admin = true) {
  let clock = END;
  const now = () => clock;
  const { tokens } = testTokens(now);
  const make = async (name: string, scope: TokenScope, expires: number | null = null) =>
    (await tokens.create({ name, scope, agentId: scope === 'agent' ? 'home' : null, expires })).secret;
  const revoked = await tokens.create({ name: 'revoked', scope: 'admin', agentId: null, expires: null });
  const presented: Record<Credential, string | undefined> = {
    nothing: undefined,
    'a wrong token': 'Bearer wrong',
    'a prefix of a right one': '',
    'a right one by another scheme': '',
    '--api-token': `Bearer ${TOKEN}`,
    'a token of an agent': `Bearer ${await make('agent', 'agent')}`,
    'a token to read': `Bearer ${await make('read', 'read')}`,
    'a token of an administrator': 'Bearer none',
    'a token that expired': `Bearer ${await make('expired', 'read', END + 60_000)}`,
    'a token that was revoked': `Bearer ${revoked.secret}`,
  };
  if (admin) presented['a token of an administrator'] = `Bearer ${await make('admin', 'admin')}`;
  presented['a prefix of a right one'] = presented['a token to read']?.slice(0, -1);
  presented['a right one by another scheme'] = presented['a token to read']?.replace('Bearer', 'Basic');
  // A table that never held an administrator's token: what was made and revoked at once is another test.
  await tokens.revoke(revoked.token.id);
  const app = testApp({ apiToken }, { tokens, now });
  const ask = (route: { method: string; url: string }, remoteAddress: string, credential: Credential) => {
    clock += 60_001;
    const authorization = presented[credential];
    return app.inject({
      method: route.method as 'GET',
      url: concrete(route.url),
      headers: { ...(authorization !== undefined && { authorization }) },
      remoteAddress,
    });
  };
  return { app, tokens, presented, ask };
}

describe('every route', async () => {
  const app = testApp();
  await app.ready();
  const { routes } = app.registry;

  it('is known with its scope', () => {
    const table = routes.map(({ method, url, scope }) => `${method} ${url} ${scope}`).sort();
    expect(table).toEqual([
      'DELETE /api/v1/tokens/:id admin',
      'GET /api/v1/agents read',
      'GET /api/v1/agents/:id/status read',
      'GET /api/v1/connections read',
      'GET /api/v1/connections/:agent_id/:id read',
      'GET /api/v1/export read',
      'GET /api/v1/filter-options read',
      'GET /api/v1/health none',
      'GET /api/v1/openapi.json read',
      'GET /api/v1/ready read',
      'GET /api/v1/session read',
      'GET /api/v1/stats read',
      'GET /api/v1/tokens admin',
      'GET /api/v1/verify read',
      'HEAD /api/v1/agents read',
      'HEAD /api/v1/agents/:id/status read',
      'HEAD /api/v1/connections read',
      'HEAD /api/v1/connections/:agent_id/:id read',
      'HEAD /api/v1/filter-options read',
      'HEAD /api/v1/health none',
      'HEAD /api/v1/openapi.json read',
      'HEAD /api/v1/ready read',
      'HEAD /api/v1/session read',
      'HEAD /api/v1/stats read',
      'HEAD /api/v1/tokens admin',
      'HEAD /api/v1/verify read',
      'POST /api/v1/export/ticket read',
      'POST /api/v1/query read',
      'POST /api/v1/query/batch read',
      'POST /api/v1/storage/backup admin',
      'POST /api/v1/sync agent',
      'POST /api/v1/tokens admin',
      'POST /api/v2/sync agent',
    ]);
  });

  it.each(CLIENTS)('of a master without tokens, from %s', async (_name, remoteAddress, scopes) => {
    const open = testApp({ apiToken: null });
    for (const route of routes) {
      const answer = await open.inject({
        method: route.method as 'GET',
        url: concrete(route.url),
        remoteAddress,
      });
      const allowed = (scopes as readonly string[]).includes(route.scope);
      expect(passed(answer.statusCode), `${route.method} ${route.url}`).toBe(allowed);
      if (allowed || route.method === 'HEAD') continue;
      const code = scopes.length === 1 ? 'address_refused' : 'forbidden';
      expect(answer.json()).toMatchObject({ code, status: 'error' });
      if (code === 'address_refused') expect(answer.json().hint).toContain('--api-token');
    }
  });

  describe.each([
    ['with --api-token and tokens', TOKEN, true],
    ['with tokens, an administrator’s among them', null, true],
    ['with tokens of agents and readers', null, false],
  ])('of a master %s', (_name, apiToken, admin) => {
    it.each(CREDENTIALS)('to who presents %s', async (credential, usual) => {
      const { ask } = await masterWithTokens(apiToken, admin);
      const absent =
        (credential === '--api-token' && apiToken === null) ||
        (credential === 'a token of an administrator' && !admin);
      const held = absent ? 401 : usual;
      for (const remoteAddress of ['127.0.0.1', '192.168.1.20', 'fe80::1', '203.0.113.9']) {
        // Who makes the first tokens on the machine itself must be able to make the next.
        const onMachine = classifyAddress(remoteAddress) === 'loopback';
        const trusted = credential === 'nothing' && apiToken === null && !admin && onMachine;
        const scopes = trusted ? SCOPES : held === 401 ? ['none'] : held;
        for (const route of routes) {
          const { statusCode } = await ask(route, remoteAddress, credential);
          const expected = (scopes as readonly string[]).includes(route.scope) ? 0 : held === 401 ? 401 : 403;
          const what = `${route.method} ${route.url} from ${remoteAddress}`;
          if (expected === 0) expect(passed(statusCode), what).toBe(true);
          else expect(statusCode, what).toBe(expected);
        }
      }
    });
  });

  it('cannot be registered without a scope, nor without saying what it answers', () => {
    const contract = { summary: 'x', returns: {} };
    expect(() => testApp().get('/open', () => 'x')).toThrow('declares no scope');
    expect(() => testApp().get('/open', { config: { scope: 'read' } }, () => 'x')).toThrow(
      'declares no contract',
    );
    expect(() => testApp().get('/open/:id', { config: { scope: 'read', contract } }, () => 'x')).toThrow(
      'declares the parameters (), and has (id)',
    );
  });
});

describe('trust in addresses', () => {
  const ask = async (app: FastifyInstance, remoteAddress: string) =>
    (await app.inject({ url: '/api/v1/session', remoteAddress })).statusCode;
  const all = async (app: FastifyInstance) => [
    await ask(app, '127.0.0.1'),
    await ask(app, '192.168.1.20'),
    await ask(app, '203.0.113.9'),
  ];

  it('shrinks with the first token and the first administrator, and never grows while the master runs', async () => {
    const { tokens } = testTokens(() => 0);
    const app = testApp({ apiToken: null }, { tokens });
    expect(await all(app)).toEqual([200, 200, 403]);
    const make = async (name: string, scope: TokenScope) =>
      (await tokens.create({ name, scope, agentId: null, expires: null })).token.id;
    const first = await make('a', 'read');
    expect(await all(app)).toEqual([200, 401, 401]);
    await tokens.revoke(first);
    expect(await all(app)).toEqual([200, 401, 401]);
    const admin = await make('b', 'admin');
    expect(await all(app)).toEqual([401, 401, 401]);
    await tokens.revoke(admin);
    expect(await all(app)).toEqual([401, 401, 401]);
    // The next start.
    expect(await all(testApp({ apiToken: null }, { tokens }))).toEqual([200, 200, 403]);
  });

  it('is no way around a token that was revoked or expired', async () => {
    const { ask } = await masterWithTokens(null, false);
    const session = { method: 'GET', url: '/api/v1/session' };
    expect((await ask(session, '127.0.0.1', 'nothing')).statusCode).toBe(200);
    for (const credential of ['a token that was revoked', 'a token that expired'] as const) {
      expect((await ask(session, '127.0.0.1', credential)).statusCode).toBe(401);
    }
  });
});

describe('wrong tokens', () => {
  const from = (address: string) => ({ url: '/api/v1/agents', remoteAddress: address });

  it('are slowed down by address after ten, and never stand in the way of a right one', async () => {
    let now = 0;
    const app = testApp({}, { now: () => now });
    const guess = { ...from('203.0.113.9'), headers: { authorization: 'Bearer guess' } };
    for (let i = 0; i < 10; i++) expect((await app.inject(guess)).statusCode).toBe(401);
    const eleventh = await app.inject(guess);
    expect(eleventh.statusCode).toBe(429);
    expect(Number(eleventh.headers['retry-after'])).toBe(60);
    expect(eleventh.json()).toMatchObject({ code: 'too_many_requests' });
    expect((await app.inject({ ...from('203.0.113.9'), headers: BEARER })).statusCode).toBe(200);
    expect((await app.inject({ ...guess, remoteAddress: '203.0.113.10' })).statusCode).toBe(401);
    now = 60_000;
    expect((await app.inject(guess)).statusCode).toBe(401);
  });

  it('are counted for the whole /64 of an IPv6 client; a missing token is no guess', async () => {
    const app = testApp();
    for (let i = 0; i < 10; i++) {
      await app.inject({ ...from(`2001:db8::${i + 1}`), headers: { authorization: 'Bearer guess' } });
    }
    const next = { ...from('2001:db8::ff'), headers: { authorization: 'Bearer guess' } };
    expect((await app.inject(next)).statusCode).toBe(429);
    expect((await app.inject(from('2001:db8::ff'))).statusCode).toBe(401);
  });

  it('that expired are no guesses, and say when they ended', async () => {
    const { tokens } = testTokens(() => 0);
    const { secret } = await tokens.create({ name: 'a', scope: 'read', agentId: null, expires: 1000 });
    const app = testApp({}, { tokens, now: () => 1000 });
    for (let i = 0; i < 20; i++) {
      const headers = { authorization: `Bearer ${secret}` };
      const answer = await app.inject({ ...from('203.0.113.9'), headers });
      expect(answer.statusCode).toBe(401);
      expect(answer.json().message).toBe('the token expired at 1970-01-01T00:00:01.000Z');
    }
  });

  it('tell how to authenticate', async () => {
    const answer = await testApp().inject('/api/v1/agents');
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });
});

describe('addresses', () => {
  it.each([
    ['::ffff:192.168.0.1', '192.168.0.1'],
    ['::FFFF:c0a8:0001', '192.168.0.1'],
    ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s is %s', (address, normal) => expect(normalizeAddress(address)).toBe(normal));

  it.each([
    ['172.31.255.255', 'private'],
    ['172.32.0.0', 'other'],
    ['fc00::1', 'private'],
    ['fe00::1', 'other'],
    ['127.8.9.1', 'loopback'],
    ['0.0.0.0', 'other'],
    ['not an address', 'other'],
  ])('%s is %s', (address, place) => expect(classifyAddress(address)).toBe(place));

  it('keys IPv6 by its network', () => {
    expect(clientKey('2001:db8:1:2:3::4')).toBe('2001:db8:1:2::/64');
    expect(clientKey('2001:db8::4')).toBe('2001:db8:0:0::/64');
  });
});

describe('Host, where no token is needed', () => {
  it.each([
    ['localhost', 200],
    ['localhost:8080', 200],
    ['LOCALHOST.', 200],
    ['127.0.0.1:80', 200],
    ['[::1]:80', 200],
    ['192.168.1.1', 200],
    [hostname(), 200],
    ['tracker.lan:8080', 200],
    ['master.example', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['tracker.lan@evil.example', 403],
  ])('%s → %i', async (host, status) => {
    const app = testApp({ apiToken: null, host: 'master.example', allowHosts: ['tracker.lan'] });
    const answer = await app.inject({ url: '/api/v1/agents', headers: { host } });
    expect(answer.statusCode).toBe(status);
    if (status === 403) expect(answer.json()).toMatchObject({ code: 'host_refused' });
  });

  it('matters as long as this machine is believed, and not to who presents a token', async () => {
    const { tokens } = testTokens(() => 0);
    const { secret } = await tokens.create({ name: 'a', scope: 'read', agentId: null, expires: null });
    const app = testApp({ apiToken: null }, { tokens });
    const ask = async (headers: Record<string, string>) =>
      (await app.inject({ url: '/api/v1/session', headers: { host: 'evil.example', ...headers } })).json()
        .code;
    expect(await ask({})).toBe('host_refused');
    expect(await ask({ host: 'localhost' })).toBeUndefined();
    expect(await ask({ authorization: `Bearer ${secret}` })).toBeUndefined();
  });

  it('does not matter where a token is needed, nor for /health', async () => {
    const headers = { host: 'evil.example', ...BEARER };
    expect((await testApp().inject({ url: '/api/v1/agents', headers })).statusCode).toBe(200);
    const health = { url: '/api/v1/health', headers: { host: 'evil.example' } };
    expect((await testApp({ apiToken: null }).inject(health)).statusCode).toBe(200);
  });
});

describe('pages of other origins', () => {
  const trusting = { trustedOrigins: ['https://dash.example'] };
  const post = { method: 'POST' as const, url: '/api/v1/sync', payload: '{}' };
  const json = { ...BEARER, 'content-type': 'application/json' };

  it.each([
    ['GET', 'https://evil.example', {}, 200, undefined],
    ['POST', 'https://evil.example', {}, 403, undefined],
    ['POST', 'null', {}, 403, undefined],
    ['POST', 'https://dash.example', {}, 403, undefined],
    ['GET', 'https://dash.example', trusting, 200, 'https://dash.example'],
    ['POST', 'https://dash.example', trusting, 200, 'https://dash.example'],
    ['POST', 'https://dash.example.evil', trusting, 403, undefined],
    ['POST', 'http://dash.example', trusting, 403, undefined],
    ['POST', 'https://dash.example:8443', trusting, 403, undefined],
    ['POST', 'http://master.example:8080', {}, 200, undefined],
    ['POST', 'http://master.example:9090', {}, 403, undefined],
  ] as const)('%s from %s with %o → %i', async (method, origin, options, status, allowed) => {
    const headers = { ...json, origin, host: 'master.example:8080' };
    const request = method === 'GET' ? { url: '/api/v1/agents' } : post;
    const answer = await testApp(options).inject({ ...request, headers });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe(allowed);
    expect(answer.headers.vary).toBe('trustedOrigins' in options ? 'Origin' : undefined);
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    if (status === 403) expect(answer.json()).toMatchObject({ code: 'origin_refused' });
  });

  it('may ask first, and are answered when they are trusted', async () => {
    const preflight = {
      method: 'OPTIONS' as const,
      url: '/api/v1/sync',
      headers: { origin: 'https://dash.example', 'access-control-request-method': 'POST' },
    };
    const answer = await testApp(trusting).inject(preflight);
    expect(answer.statusCode).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://dash.example',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'Authorization, Content-Type',
      vary: 'Origin',
    });
    const refused = await testApp().inject(preflight);
    expect(refused.statusCode).toBe(403);
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('a listening master', () => {
  const servers: HttpServer[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  it('says that a port is taken, and can be stopped twice', async () => {
    const first = new HttpServer(testDeps(), OPTIONS);
    servers.push(first);
    await first.start();
    const second = new HttpServer(testDeps(), { ...OPTIONS, port: first.port });
    await expect(second.start()).rejects.toMatchObject({ code: 'address_in_use' });
    await second.stop();
    expect(await (await fetch(`http://127.0.0.1:${first.port}/api/v1/health`)).text()).toBe('OK');
    await first.stop();
    await first.stop();
  });
});
