import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { afterwards, ask, cleanUp, rawSocket, serve, until, watch } from './server.test-support.ts';

afterEach(cleanUp);

describe('behaviour 14: restart and reload', () => {
  test('a restart drops the stream without a word, refuses, and comes back empty on the same port', async () => {
    const { core, server } = await serve();
    core.open({}, { download: 10 });
    const feed = watch(server, '/connections?interval=50');
    await until(() => feed.messages.length > 0);
    const back = server.restart({ downMs: 300 });
    expect(await feed.closed).toBe(1006);
    await expect(ask(server, '/version')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await back;
    const after = watch(server);
    await until(() => after.messages.length > 0);
    expect(after.messages[0]).toBe('{"downloadTotal":0,"uploadTotal":0,"connections":null,"memory":0}\n');
  });

  test('the stream survives a reload, a reset of the statistics and a new secret', async () => {
    const { core, server } = await serve({ secret: 'old' });
    core.open({}, { download: 10 });
    const feed = watch(server, '/connections?interval=50&token=old');
    await until(() => feed.messages.length > 0);
    const headers = { authorization: 'Bearer old' };
    expect((await ask(server, '/configs', { method: 'PUT', headers })).status).toBe(204);
    expect(core.accepting).toBe(false);
    core.resetStatistics();
    server.secret = 'new';
    const seen = feed.messages.length;
    await until(() => feed.messages.length > seen + 1);
    expect(JSON.parse(feed.messages.at(-1)!)).toMatchObject({
      downloadTotal: 0,
      connections: [{ download: 10 }],
    });
    expect((await ask(server, '/version', { headers })).status).toBe(401);
  });
});

describe('behaviour 15: faults on the way', () => {
  test('stall: silence without closing, for requests too, until it ends', async () => {
    const { server } = await serve();
    const feed = watch(server, '/connections?interval=20');
    await until(() => feed.messages.length > 2);
    server.stall();
    await sleep(30);
    const seen = feed.messages.length;
    let answered = false;
    const request = ask(server, '/version').then(() => {
      answered = true;
    });
    await sleep(200);
    expect(feed.messages.length).toBe(seen);
    expect(feed.socket.readyState).toBe(WebSocket.OPEN);
    expect(answered).toBe(false);
    server.unstall();
    await request;
    await until(() => feed.messages.length > seen);
  });

  test('a cut in the middle of a message and a reset both end in 1006', async () => {
    const { core, server } = await serve({ manual: true });
    for (let i = 0; i < 100; i++) core.open();
    const feed = watch(server);
    await until(() => feed.messages.length === 1);
    server.cutMidFrame();
    expect(await feed.closed).toBe(1006);
    expect(feed.messages.length).toBe(1);

    const socket = await rawSocket(server, '/connections');
    const error = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    socket.resume();
    await until(() => server.clients === 1);
    await sleep(50);
    server.reset();
    expect((await error).code).toBe('ECONNRESET');
  });

  test('a slow drip delivers a message late and drops the ticks meanwhile', async () => {
    const { core, server } = await serve();
    for (let i = 0; i < 20; i++) core.open();
    const length = core.frameBytes().length;
    server.drip(length * 4);
    const feed = watch(server, '/connections?interval=20');
    const opened = performance.now();
    await until(() => feed.messages.length === 1);
    expect(performance.now() - opened).toBeGreaterThan(150);
    expect(server.traffic.dropped).toBeGreaterThan(2);
    server.drip(null);
    await until(() => feed.messages.length > 5);
  });

  test('a delay keeps the order', async () => {
    const { core, server } = await serve();
    const id = core.open();
    server.delay(150);
    const feed = watch(server, '/connections?interval=20');
    const moving = setInterval(() => core.move(id, 1, 0), 10);
    afterwards(() => clearInterval(moving));
    const opened = performance.now();
    await until(() => feed.messages.length > 3);
    expect(performance.now() - opened).toBeGreaterThan(140);
    server.delay(0);
    await until(() => feed.messages.length > 20);
    const totals = feed.messages.map((text) => JSON.parse(text).downloadTotal as number);
    expect(totals).toEqual([...totals].sort((a, b) => a - b));
  });

  test('wrong secret, answers of a reverse proxy, pages that are no JSON', async () => {
    const { server } = await serve({ secret: 'right' });
    const wrong = watch(server, '/connections', { authorization: 'Bearer wrong' });
    await wrong.closed;
    expect(wrong.state.status).toBe(401);
    server.answerWith(502, '<html>Bad Gateway</html>');
    const feed = watch(server, '/connections', { authorization: 'Bearer right' });
    await feed.closed;
    expect(feed.state.status).toBe(502);
    server.answerWith(200, '<html>Sign in</html>');
    expect(await ask(server, '/version')).toMatchObject({ status: 200, body: '<html>Sign in</html>' });
    server.answerNormally();
    expect((await ask(server, '/version', { headers: { authorization: 'Bearer right' } })).status).toBe(200);
  });

  test('refused, and a storm of reconnects', async () => {
    const { server } = await serve();
    await server.refuse();
    await expect(ask(server, '/version')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.accept();
    server.dropConnects(2);
    for (let i = 0; i < 2; i++) expect(await watch(server).closed).toBe(1006);
    const feed = watch(server);
    await until(() => feed.messages.length === 1);
  });
});
