import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../src/common/errors.ts';
import { BEARER, FakeIngest, OPTIONS, testDeps } from '../../src/master/http/http.test-support.ts';
import { HttpServer } from '../../src/master/http/server.ts';

const MIB = 1024 * 1024;
const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function post(ingest: FakeIngest, body: Uint8Array, encoding?: string): Promise<Response> {
  const server = new HttpServer({ ...testDeps(), ingest }, OPTIONS);
  servers.push(server);
  await server.start();
  return fetch(`http://127.0.0.1:${server.port}/api/v2/sync`, {
    method: 'POST',
    headers: {
      ...BEARER,
      'content-type': 'application/json',
      ...(encoding && { 'content-encoding': encoding }),
    },
    body: new Uint8Array(body),
  });
}

/** The original read bodies of any size whole, parsed them, and took any number of requests at once. */
describe('A6: bodies are bounded as they arrive', () => {
  it('takes 16 MiB uncompressed, and refuses one byte more', async () => {
    const ingest = new FakeIngest();
    expect((await post(ingest, new Uint8Array(16 * MIB))).status).toBe(200);
    expect((await post(ingest, new Uint8Array(16 * MIB + 1))).status).toBe(413);
    expect(ingest.deliveries).toHaveLength(1);
  });

  it('takes 4 MiB compressed, and refuses one byte more', async () => {
    const ingest = new FakeIngest();
    expect((await post(ingest, new Uint8Array(4 * MIB), 'gzip')).status).toBe(200);
    expect((await post(ingest, new Uint8Array(4 * MIB + 1), 'gzip')).status).toBe(413);
    expect(ingest.deliveries).toHaveLength(1);
  });

  it('hands a bomb on compressed, and passes on the refusal of whoever inflates it', async () => {
    class Refusing extends FakeIngest {
      size = 0;
      override v2(delivery: { body: Uint8Array }): Promise<never> {
        this.size = delivery.body.length;
        return Promise.reject(new CodedError('body_too_large', 'inflates to more than 16 MiB'));
      }
    }
    const ingest = new Refusing();
    const bomb = gzipSync(Buffer.alloc(256 * MIB), { level: 9 });
    const before = process.memoryUsage().rss;
    const answer = await post(ingest, bomb, 'gzip');
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ status: 'error', code: 'body_too_large' });
    expect(ingest.size).toBe(bomb.length);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
  });
});
