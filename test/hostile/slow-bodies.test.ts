import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BEARER, FakeIngest, OPTIONS, testDeps } from '../../src/master/http/http.test-support.ts';
import { HttpServer } from '../../src/master/http/server.ts';

const MIB = 1024 * 1024;
const servers: HttpServer[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function listening(ingest = new FakeIngest()): Promise<number> {
  const server = new HttpServer({ ...testDeps(), ingest }, OPTIONS);
  servers.push(server);
  await server.start();
  return server.port;
}

/** A sync that has begun: its headers, and so much of its body, are sent. */
class Begun {
  readonly socket: Socket;
  readonly #announced: string;
  /** All that came back. */
  answer = '';

  constructor(port: number, announced: string) {
    this.#announced = announced;
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.answer += chunk.toString('utf8');
    });
    this.socket.on('error', () => {});
    sockets.push(this.socket);
  }

  async send(body: string | Buffer): Promise<this> {
    const head = `POST /api/v2/sync HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\nContent-Type: application/json\r\n${this.#announced}\r\n\r\n`;
    this.socket.write(head);
    await this.more(body);
    return this;
  }

  more(body: string | Buffer): Promise<void> {
    return new Promise((resolve) => this.socket.write(body, () => resolve()));
  }
}

async function post(port: number, body = '{}'): Promise<number> {
  const headers = { ...BEARER, 'content-type': 'application/json' };
  return (await fetch(`http://127.0.0.1:${port}/api/v2/sync`, { method: 'POST', headers, body })).status;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('bodies that never end', () => {
  it('keep nobody out, however many there are', async () => {
    const port = await listening();
    await Promise.all(Array.from({ length: 100 }, () => new Begun(port, 'Content-Length: 1000').send('{')));
    expect(await post(port)).toBe(200);
    await Promise.all(
      Array.from({ length: 100 }, () => new Begun(port, 'Content-Length: 16000000').send('{')),
    );
    expect(await post(port, 'x'.repeat(MIB))).toBe(200);
  });

  it('that are complete in the end are delivered', async () => {
    const ingest = new FakeIngest();
    const port = await listening(ingest);
    const slow = await new Begun(port, 'Content-Length: 4').send('{');
    expect(await post(port)).toBe(200);
    await slow.more('"":');
    await until(() => slow.answer.includes('200 OK'));
    expect(ingest.deliveries.map(({ body }) => Buffer.from(body).toString())).toEqual(['{}', '{"":']);
  });

  it('fill no more memory than there is: the largest is sent away, and can come again', async () => {
    const ingest = new FakeIngest();
    const port = await listening(ingest);
    const small = await new Begun(port, 'Content-Length: 200000').send('x'.repeat(100_000));
    const large = Array.from({ length: 5 }, () => new Begun(port, `Content-Length: ${16 * MIB}`));
    for (const body of large) await body.send(Buffer.alloc(15 * MIB, 'x'));
    await until(() => large.some(({ answer }) => answer.includes('"code":"busy"')));
    const refused = large.filter(({ answer }) => answer !== '');
    expect(refused[0]?.answer).toMatch(/^HTTP\/1\.1 503 .*\r\nretry-after: \d/is);
    expect(await post(port)).toBe(200);
    await small.more('x'.repeat(100_000));
    await until(() => small.answer.includes('200 OK'));
    expect(refused.length).toBeLessThan(5);
  });

  it('come byte by byte and cost no more than their bytes', async () => {
    const ingest = new FakeIngest();
    const port = await listening(ingest);
    const chunks = Buffer.from('1\r\nx\r\n'.repeat(200_000));
    const bytewise = await new Begun(port, 'Transfer-Encoding: chunked').send(chunks);
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 2; i++) await bytewise.more(chunks);
    await bytewise.more('0\r\n\r\n');
    await until(() => bytewise.answer.includes('200 OK'));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * MIB);
    expect(ingest.deliveries[0]?.body).toHaveLength(600_000);
  });
});
