import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HttpTransport, timeoutFor } from './transport.ts';

let asked: { url: string | undefined; headers: IncomingHttpHeaders; body: Buffer }[];
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  asked.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
  response.writeHead(503, { 'retry-after': '7' }).end('{"code":"busy"}');
});
let base: string;
beforeEach(async () => {
  asked = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

it('posts compressed to protocol 2 and plain to the original’s, below the path of the master', async () => {
  const transport = new HttpTransport({ url: `${base}/behind/proxy/`, token: 'secret' });
  const reply = { kind: 'answer', status: 503, retryAfterMs: 7000, body: '{"code":"busy"}' };
  expect(await transport.post('/api/v2/sync', '{"a":"ä"}')).toEqual(reply);
  expect(await transport.post('/api/v1/sync', '{"b":"ä"}')).toEqual(reply);
  await transport.close();
  const common = {
    'content-type': 'application/json',
    accept: 'application/json',
    authorization: 'Bearer secret',
  };
  expect(asked).toMatchObject([
    { url: '/behind/proxy/api/v2/sync', headers: { ...common, 'content-encoding': 'gzip' } },
    { url: '/behind/proxy/api/v1/sync', headers: common },
  ]);
  expect(asked[1]?.headers).not.toHaveProperty('content-encoding');
  expect([gunzipSync(asked[0]?.body ?? ''), asked[1]?.body].map(String)).toEqual(['{"a":"ä"}', '{"b":"ä"}']);
  expect(asked.map(({ headers, body }) => Number(headers['content-length']) - body.length)).toEqual([0, 0]);
});

it('sends no authorization where there is no token', async () => {
  const transport = new HttpTransport({ url: base });
  await transport.post('/api/v2/sync', '{}');
  await transport.close();
  expect(asked[0]?.headers).not.toHaveProperty('authorization');
});

it('never throws: what goes wrong on the way is a reply, by its code where there is one', async () => {
  const closed = new HttpTransport({ url: base });
  await closed.close();
  expect(await closed.post('/api/v2/sync', '{}')).toEqual({ kind: 'failed', reason: 'closed' });
  const nobody = new HttpTransport({ url: 'http://127.0.0.1:9' });
  expect(await nobody.post('/api/v2/sync', '{}')).toEqual({ kind: 'failed', reason: 'ECONNREFUSED' });
  const odd = new HttpTransport({ url: base, token: 'line\nbreak' });
  expect(await odd.post('/api/v2/sync', '{}')).toEqual({ kind: 'failed', reason: 'ERR_INVALID_CHAR' });
  expect(asked).toEqual([]);
});

it('waits longer for an answer to more', () => {
  expect(timeoutFor(0)).toBe(15_000);
  expect(timeoutFor(1_600_000)).toBe(115_000);
});
