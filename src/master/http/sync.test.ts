import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BEARER, FakeIngest, OPTIONS, testApp, testDeps } from './http.test-support.ts';
import { HttpServer } from './server.ts';

const JSON_HEADERS = { ...BEARER, 'content-type': 'application/json' };
const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function listening(
  ingest = new FakeIngest(),
  bodyTimeoutMs = 30_000,
): Promise<{ base: string; port: number }> {
  const server = new HttpServer({ ...testDeps(), ingest }, { ...OPTIONS, bodyTimeoutMs });
  servers.push(server);
  await server.start();
  return { base: `http://127.0.0.1:${server.port}`, port: server.port };
}

describe('POST /sync', () => {
  it('answers as the original does', async () => {
    const ingest = new FakeIngest();
    const answer = await testApp({}, { ingest }).inject({
      method: 'POST',
      url: '/api/v1/sync',
      headers: JSON_HEADERS,
      payload: '{"agent_id":"a","connections":[{}]}',
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      status: 'success',
      data: { message: '数据同步成功', count: 1 },
      message: null,
    });
    expect(ingest.deliveries[0]).toMatchObject({ gzip: false, boundAgent: null });
  });

  it('gives the ingest a compressed body as it came', async () => {
    const ingest = new FakeIngest();
    const payload = Buffer.from([0x1f, 0x8b, 1, 2, 3]);
    const answer = await testApp({}, { ingest }).inject({
      method: 'POST',
      url: '/api/v2/sync',
      headers: { ...JSON_HEADERS, 'content-encoding': 'gzip' },
      payload,
    });
    expect(answer.json()).toMatchObject({ status: 'success', data: { ok: true, head_before: null } });
    expect(ingest.deliveries[0]?.gzip).toBe(true);
    expect(Buffer.from(ingest.deliveries[0]?.body ?? []).equals(payload)).toBe(true);
  });

  it.each([
    ['text/plain', undefined],
    ['application/x-www-form-urlencoded', undefined],
    ['application/json', 'br'],
    ['application/json', 'gzip, gzip'],
    ['application/json', 'deflate'],
    ['application/json; charset=utf-16', undefined],
    ['application/json;x=1;CHARSET="ISO-8859-1"', 'gzip'],
    ['application/json; charset=', undefined],
  ])('refuses %s in %s with 415', async (type, encoding) => {
    const answer = await testApp().inject({
      method: 'POST',
      url: '/api/v1/sync',
      headers: { ...BEARER, 'content-type': type, ...(encoding && { 'content-encoding': encoding }) },
      payload: 'x',
    });
    expect(answer.statusCode).toBe(415);
    expect(answer.json()).toMatchObject({ status: 'error', code: 'unsupported_media', data: null });
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"'])(
    'takes %s',
    async (type) => {
      const headers = { ...BEARER, 'content-type': type };
      const answer = await testApp().inject({ method: 'POST', url: '/api/v1/sync', headers, payload: '{}' });
      expect(answer.statusCode).toBe(200);
    },
  );

  it('stops a chunked compressed body at 4 MiB, with little memory', async () => {
    const ingest = new FakeIngest();
    const { base } = await listening(ingest);
    const chunk = new Uint8Array(64 * 1024);
    const answered = Promise.withResolvers<void>();
    let sent = 0;
    // The chunk that goes beyond the limit is the last: what is sent to a connection that is being closed may fail first.
    const body = new ReadableStream({
      async pull(controller) {
        if (sent++ <= (4 * 1024 * 1024) / chunk.length) controller.enqueue(chunk);
        else await answered.promise;
      },
    });
    const before = process.memoryUsage().rss;
    const answer = await fetch(`${base}/api/v2/sync`, {
      method: 'POST',
      headers: { ...JSON_HEADERS, 'content-encoding': 'gzip' },
      body,
      duplex: 'half',
    } as RequestInit);
    answered.resolve();
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ status: 'error', code: 'body_too_large' });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    expect(ingest.deliveries).toHaveLength(0);
  });

  it('refuses an announced length over the limit before reading', async () => {
    const { port } = await listening();
    const answer = await raw(
      port,
      `POST /api/v1/sync HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{`,
    );
    expect(answer).toContain('413 Payload Too Large');
    expect(answer).toContain('"body_too_large"');
  });

  it('asks for the token before it reads the body', async () => {
    const { port } = await listening();
    const answer = await raw(
      port,
      'POST /api/v1/sync HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
    );
    expect(answer).toContain('401 Unauthorized');
  });

  it('ends a slow body with 408 in the envelope', async () => {
    const { port } = await listening(new FakeIngest(), 1000);
    const answer = await raw(
      port,
      `POST /api/v1/sync HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`,
      8000,
    );
    expect(answer).toContain('408 Request Timeout');
    expect(answer).toContain('"code":"timeout"');
  });

  it('ends slow headers the same way', async () => {
    const { port } = await listening(new FakeIngest(), 1000);
    const answer = await raw(port, 'POST /api/v1/sync HTTP/1.1\r\nHost: x\r\n', 8000);
    expect(answer).toContain('408 Request Timeout');
  });

  it('takes eight at once, sends the ninth away with Retry-After, and recovers', async () => {
    const ingest = new FakeIngest();
    let open = (): void => {};
    ingest.gate = new Promise((resolve) => {
      open = resolve;
    });
    const { base } = await listening(ingest);
    const post = (): Promise<Response> =>
      fetch(`${base}/api/v1/sync`, { method: 'POST', headers: JSON_HEADERS, body: '{}' });
    const held = Array.from({ length: 8 }, post);
    while (ingest.deliveries.length < 8) await new Promise((resolve) => setTimeout(resolve, 5));
    const ninth = await post();
    expect(ninth.status).toBe(503);
    expect(Number(ninth.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await ninth.json()).toMatchObject({ code: 'busy' });
    open();
    expect((await Promise.all(held)).map((answer) => answer.status)).toEqual(Array(8).fill(200));
    expect((await post()).status).toBe(200);
  });

  it('keeps the slot of a client that hung up until its body is worked off', async () => {
    const ingest = new FakeIngest();
    let open = (): void => {};
    ingest.gate = new Promise((resolve) => {
      open = resolve;
    });
    const { base } = await listening(ingest);
    const abort = new AbortController();
    const post = (signal?: AbortSignal): Promise<Response> =>
      fetch(`${base}/api/v1/sync`, {
        method: 'POST',
        headers: JSON_HEADERS,
        body: '{}',
        ...(signal && { signal }),
      });
    const gone = Array.from({ length: 8 }, () => post(abort.signal).catch(() => null));
    while (ingest.deliveries.length < 8) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    await Promise.all(gone);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await post()).status).toBe(503);
    open();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await post()).status).toBe(200);
  });

  it('never parses a body on this thread: 16 MB of brackets pass by', async () => {
    const { base } = await listening();
    const began = performance.now();
    const answer = await fetch(`${base}/api/v1/sync`, {
      method: 'POST',
      headers: JSON_HEADERS,
      body: '['.repeat(16_000_000),
    });
    expect(answer.status).toBe(200);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

/** Sends bytes as they are and returns all that comes back until the peer is silent or hangs up. */
function raw(port: number, text: string, forMs = 500): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    const finish = (): void => {
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(finish, forMs);
    socket.on('data', (chunk) => {
      answer += chunk.toString('utf8');
    });
    socket.on('close', () => {
      clearTimeout(timer);
      finish();
    });
    socket.on('error', () => {});
  });
}
