import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { SimulatedCore } from './core.ts';
import {
  afterwards,
  ask,
  cleanUp,
  HANDSHAKE,
  rawFeed,
  rawSocket,
  serve,
  until,
  watch,
} from './server.test-support.ts';

afterEach(cleanUp);

describe('behaviour 1: HTTP and WebSocket on one port', () => {
  test('Upgrade is compared exactly: WebSocket in capitals is a plain request', async () => {
    const { server } = await serve();
    const upgrade = (value: string, more = {}) =>
      ask(server, '/connections', { headers: { ...HANDSHAKE, upgrade: value, ...more } });
    expect((await upgrade('websocket')).status).toBe(101);
    const plain = await upgrade('WebSocket');
    expect(plain.status).toBe(200);
    expect(JSON.parse(plain.body)).toMatchObject({ connections: null });
    expect((await upgrade('websocket', { 'sec-websocket-version': '12' })).status).toBe(426);
    expect((await upgrade('websocket', { 'sec-websocket-key': 'short' })).status).toBe(400);
    expect((await upgrade('websocket', { connection: 'keep-alive' })).status).toBe(400);
  });

  test('the secret: header or token on a WebSocket where the token alone decides, header only on HTTP', async () => {
    const { server } = await serve({ secret: 'p ss+' });
    const good = { authorization: 'Bearer p ss+' };
    const http = (path: string, headers: Record<string, string> = {}) => ask(server, path, { headers });
    const refused = await http('/connections');
    expect(refused).toMatchObject({ status: 401, body: '{"message":"Unauthorized"}\n' });
    expect((await http('/', good)).body).toBe('{"hello":"mihomo"}\n');
    expect((await http('/version', good)).body).toBe('{"meta":true,"version":"v1.19.31"}\n');
    expect((await http('/connections', { authorization: 'bearer p ss+' })).status).toBe(401);
    expect((await http('/connections?token=p%20ss%2B')).status).toBe(401);
    const socket = async (path: string, headers = {}) =>
      (await http(path, { ...HANDSHAKE, upgrade: 'websocket', ...headers })).status;
    expect(await socket('/connections', good)).toBe(101);
    expect(await socket('/connections?token=p%20ss%2B')).toBe(101);
    expect(await socket('/connections?token=p+ss%2B')).toBe(101);
    expect(await socket('/connections?token=bad', good)).toBe(401);
    expect(await socket('/connections?token=', good)).toBe(101);
    expect(await socket('/connections')).toBe(401);
  });

  test('the Unix socket asks for nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'core-'));
    afterwards(() => rm(folder, { recursive: true }));
    const socketPath = join(folder, 'ctl.sock');
    await serve({ secret: 'x', socketPath, port: null });
    expect((await ask(socketPath, '/connections')).status).toBe(200);
    const socket = new WebSocket(`ws+unix:${socketPath}:/connections`);
    afterwards(() => socket.terminate());
    await new Promise((resolve) => socket.once('message', resolve));
  });

  test('unknown paths are 404, every answer has the Date of the core', async () => {
    const core = new SimulatedCore({ startAt: Date.UTC(2026, 0, 1, 12), skewMs: 90_000 });
    const { server } = await serve({ core, manual: true });
    const answer = await ask(server, '/nothing');
    expect(answer).toMatchObject({ status: 404, body: '{"message":"Resource not found"}\n' });
    expect(answer.headers.date).toBe('Thu, 01 Jan 2026 12:01:30 GMT');
    expect((await ask(server, '/connections/')).status).toBe(200);
    expect((await ask(server, '/configs')).status).toBe(200);
  });

  test('https and wss', async () => {
    const tls = {
      key: readFileSync('test/fixtures/tls/key.pem', 'utf8'),
      cert: readFileSync('test/fixtures/tls/cert.pem', 'utf8'),
    };
    const { server } = await serve({ tls });
    expect(server.url).toMatch(/^https:/);
    const socket = new WebSocket(`wss://127.0.0.1:${server.port}/connections`, { ca: tls.cert });
    afterwards(() => socket.terminate());
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('message', resolve));
    server.reset();
    expect(await closed).toBe(1006);
  });
});

describe('behaviour 2: interval', () => {
  test('the first message comes at once, then one every interval, 1000 ms by default', async () => {
    const { server } = await serve();
    const hourly = watch(server, '/connections?interval=3600000');
    await until(() => hourly.messages.length === 1);
    const fast = watch(server, '/connections?interval=100');
    const slow = watch(server, '/connections');
    await until(() => slow.messages.length === 2);
    expect(slow.times[1]! - slow.times[0]!).toBeGreaterThan(900);
    await until(() => fast.messages.length > 5);
    expect(hourly.messages.length).toBe(1);
  });

  test.each(['0', '-5', '9223372036854775'])('interval=%s: one message, then silence', async (value) => {
    const { server } = await serve();
    const feed = watch(server, `/connections?interval=${value}`);
    await until(() => feed.messages.length === 1);
    await sleep(300);
    expect(feed.messages.length).toBe(1);
    expect(feed.socket.readyState).toBe(WebSocket.OPEN);
  });

  test.each(['abc', '1.5', '1s', '99999999999999999999'])('interval=%s: silence', async (value) => {
    const { server } = await serve();
    const feed = watch(server, `/connections?interval=${value}`);
    await sleep(200);
    expect(feed.messages.length).toBe(0);
    expect(feed.socket.readyState).toBe(WebSocket.OPEN);
  });

  test('clash-rs reads seconds, so a thousand means one message in a quarter of an hour', async () => {
    const { server } = await serve({ core: new SimulatedCore({ dialect: 'clash-rs' }) });
    const milliseconds = watch(server, '/connections?interval=1000');
    const seconds = watch(server, '/connections?interval=1');
    await until(() => seconds.messages.length === 2);
    expect(milliseconds.messages.length).toBe(1);
    expect((await ask(server, '/version')).body).toBe('{"meta":false,"version":"0.10.8"}\n');
  });
});

describe('behaviour 3: the stream', () => {
  test('no pong, no answer to a close, 1006 at the end, nothing negotiated', async () => {
    const { server } = await serve();
    const feed = watch(server, '/connections?interval=50');
    await until(() => feed.messages.length > 1);
    expect(feed.socket.extensions).toBe('');
    feed.socket.ping();
    const before = feed.messages.length;
    feed.socket.close(1000);
    await sleep(200);
    expect(feed.state).toMatchObject({ pongs: 0, code: 0 });
    expect(feed.messages.length).toBeGreaterThanOrEqual(before);
    await server.refuse();
    expect(await feed.closed).toBe(1006);
    await server.accept();
  });

  test.each([1, 2, 30, 90, 400])('frames of every length arrive whole (%i connections)', async (count) => {
    const { core, server } = await serve({ manual: true });
    for (let i = 0; i < count; i++) core.open({ host: `a<${i}>.test`, chains: ['🇭🇰'] });
    const feed = watch(server);
    await until(() => feed.messages.length === 1);
    expect(feed.messages[0]).toBe(core.frame());
  });

  test('the length field changes at 126 and 65,536 bytes', async () => {
    const { core, server } = await serve({ manual: true });
    expect((await rawFeed(server)).subarray(0, 2)).toEqual(Buffer.from([0x81, core.frameBytes().length]));
    const start = '2026-07-01T00:00:00Z';
    core.open({ start });
    const base = core.frameBytes().length;
    for (const [length, head] of [
      [65_535, [0x81, 126, 0xff, 0xff]],
      [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    ] as const) {
      core.closeAll();
      core.open({ start, host: 'x'.repeat(length - base) });
      const bytes = await rawFeed(server);
      expect([...bytes.subarray(0, head.length)]).toEqual(head);
      expect(bytes.length).toBe(head.length + length);
      expect(bytes.subarray(head.length)).toEqual(core.frameBytes());
    }
  });
});

describe('behaviour 4: a client that does not drain', () => {
  test('misses ticks instead of filling memory, and reads a stale message first', async () => {
    const { core, server } = await serve();
    for (let i = 0; i < 3000; i++) core.open({ host: 'x'.repeat(200) });
    const socket = await rawSocket(server, '/connections?interval=10');
    socket.pause();
    await until(() => server.traffic.dropped > 20);
    const { sent } = server.traffic;
    expect(sent).toBeLessThan(30);
    core.open({ host: 'late.test' });
    await sleep(50);
    expect(server.traffic.sent).toBe(sent);
    const chunks: string[] = [];
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => chunks.push(text));
    socket.resume();
    await until(() => server.traffic.sent > sent);
    await until(() => chunks.join('').includes('late.test'));
    const messages = chunks.join('').split('"memory":0}\n');
    expect(messages.findIndex((text) => text.includes('late.test'))).toBeGreaterThanOrEqual(1);
  });
});

describe('behaviour 17: DELETE', () => {
  test('always 204, and the connection is gone before the next message', async () => {
    const { core, server } = await serve({ manual: true });
    const [first, second] = [core.open(), core.open()];
    const feed = watch(server);
    await until(() => feed.messages.length === 1);
    expect((await ask(server, `/connections/${first}`, { method: 'DELETE' })).status).toBe(204);
    expect((await ask(server, '/connections/unknown', { method: 'DELETE' })).status).toBe(204);
    server.tick();
    await until(() => feed.messages.length === 2);
    expect(JSON.parse(feed.messages[1]!).connections.map((record: { id: string }) => record.id)).toEqual([
      second,
    ]);
    expect((await ask(server, '/connections', { method: 'DELETE' })).status).toBe(204);
    server.tick();
    await until(() => feed.messages.length === 3);
    expect(JSON.parse(feed.messages[2]!).connections).toBeNull();
  });

  test('clash-rs answers 200, and 400 to what is no UUID', async () => {
    const { core, server } = await serve({ core: new SimulatedCore({ dialect: 'clash-rs' }) });
    const id = core.open();
    expect((await ask(server, `/connections/${id}`, { method: 'DELETE' })).status).toBe(200);
    expect((await ask(server, '/connections/unknown', { method: 'DELETE' })).status).toBe(400);
  });
});

test('time: the core follows the real one, times the speed', async () => {
  const core = new SimulatedCore({ startAt: 0 });
  const began = performance.now();
  const { server } = await serve({ core, speed: 100 });
  await sleep(100);
  server.clock();
  expect(core.now).toBeGreaterThan(9000);
  expect(core.now).toBeLessThanOrEqual((performance.now() - began) * 100);
});
