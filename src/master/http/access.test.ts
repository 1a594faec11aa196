import { hostname } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { classifyAddress, clientKey, normalizeAddress } from './address.ts';
import { BEARER, OPTIONS, TOKEN, testApp, testDeps } from './http.test-support.ts';
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

describe('every route', async () => {
  const app = testApp();
  await app.ready();
  const { routes } = app.registry;

  it('is known with its scope', () => {
    const table = routes.map(({ method, url, scope }) => `${method} ${url} ${scope}`).sort();
    expect(table).toEqual([
      'GET /api/v1/agents read',
      'GET /api/v1/agents/:id/status read',
      'GET /api/v1/connections read',
      'GET /api/v1/filter-options read',
      'GET /api/v1/health none',
      'GET /api/v1/ready read',
      'GET /api/v1/stats read',
      'GET /api/v1/verify read',
      'HEAD /api/v1/agents read',
      'HEAD /api/v1/agents/:id/status read',
      'HEAD /api/v1/connections read',
      'HEAD /api/v1/filter-options read',
      'HEAD /api/v1/health none',
      'HEAD /api/v1/ready read',
      'HEAD /api/v1/stats read',
      'HEAD /api/v1/verify read',
      'POST /api/v1/query read',
      'POST /api/v1/query/batch read',
      'POST /api/v1/sync agent',
      'POST /api/v2/sync agent',
    ]);
  });

  it.each(CLIENTS)('without a token, from %s', async (_name, remoteAddress, scopes) => {
    const open = testApp({ apiToken: null });
    for (const route of routes) {
      const answer = await open.inject({
        method: route.method as 'GET',
        url: concrete(route.url),
        remoteAddress,
      });
      const allowed = (scopes as readonly string[]).includes(route.scope);
      expect(passed(answer.statusCode), `${route.method} ${route.url}`).toBe(allowed);
      if (!allowed && route.method !== 'HEAD') {
        expect(answer.json()).toMatchObject({ code: 'address_refused', status: 'error' });
        expect(answer.json().hint).toContain('--api-token');
      }
    }
  });

  it.each([
    ['none', undefined, 401],
    ['wrong', 'Bearer wrong', 401],
    ['a prefix', `Bearer ${TOKEN.slice(0, -1)}`, 401],
    ['of another scheme', `Basic ${TOKEN}`, 401],
    ['right', `Bearer ${TOKEN}`, 0],
  ])('with a token needed, and the one given is %s', async (_name, authorization, status) => {
    for (const route of routes) {
      // An app each, for wrong tokens are counted.
      const answer = await testApp().inject({
        method: route.method as 'GET',
        url: concrete(route.url),
        headers: { ...(authorization && { authorization }) },
        remoteAddress: '203.0.113.9',
      });
      if (route.scope === 'none' || status === 0) expect(passed(answer.statusCode)).toBe(true);
      else expect(answer.statusCode, `${route.method} ${route.url}`).toBe(status);
    }
  });

  it('cannot be registered without a scope', () => {
    expect(() => testApp().get('/open', () => 'x')).toThrow('declares no scope');
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
