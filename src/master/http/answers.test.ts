import { afterAll, describe, expect, it } from 'vitest';
import { TrafficService } from '../query/traffic-service.ts';
import { RecordsReader } from '../records/records-reader.ts';
import { Bench } from './bench.test-support.ts';
import type { HttpDeps } from './deps.ts';
import { BEARER, OPTIONS, testApp, testDeps } from './http.test-support.ts';
import { HttpServer } from './server.ts';

const bench = new Bench();
afterAll(() => bench.close());
const get = bench.get.bind(bench);

/** Facts that are only asked where there are records to ask them for. */
const NEVER_ASKED = {
  read: () => Promise.reject(new Error('the facts were asked')),
  flushNow: () => Promise.reject(new Error('the facts were asked')),
  state: { freshTo: 0 },
};

describe('a question for which there is no place to wait', () => {
  it.each(['/agents', '/connections', '/verify', '/query'])('is answered 429 on %s', async (path) => {
    const records = new RecordsReader({ path: bench.files.path, maxWaiting: 0 });
    records.start();
    try {
      const traffic = new TrafficService({ records, facts: NEVER_ASKED, freshness: NEVER_ASKED });
      const answer = await bench.app({ records, traffic }).inject({
        ...{ url: `/api/v1${path}`, headers: BEARER },
        ...(path === '/query' && { method: 'POST', payload: {} }),
      });
      expect(answer.statusCode).toBe(429);
      expect(answer.headers['retry-after']).toBe('1');
      expect(answer.json()).toMatchObject({ code: 'too_many_requests' });
    } finally {
      await records.stop();
    }
  });
});

describe('a client that hangs up', () => {
  it('ends the work on its answer', async () => {
    const gone = Promise.withResolvers<unknown>();
    const asked = Promise.withResolvers<void>();
    const waiting: HttpDeps['stats'] = {
      ...testDeps().stats,
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
    const failing: HttpDeps['stats'] = {
      ...testDeps().stats,
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
