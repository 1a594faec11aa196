import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpClient } from './http-client.ts';

const TLS = new URL('../../../test/fixtures/tls/', import.meta.url);
const CERT = readFileSync(new URL('cert.pem', TLS), 'utf8');
const KEY = readFileSync(new URL('key.pem', TLS), 'utf8');

const closers: (() => unknown)[] = [];
let sockets: Set<Socket>;
let client: HttpClient;
beforeEach(() => {
  sockets = new Set();
  client = new HttpClient({ secure: false });
});
afterEach(async () => {
  client.close();
  for (const socket of sockets) socket.destroy();
  for (const close of closers.splice(0)) await close();
});

async function listening(server: ReturnType<typeof createTcpServer>): Promise<number> {
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function serve(answer: RequestListener, make: () => Server = createServer): Promise<string> {
  return `http://127.0.0.1:${await listening(make().on('request', answer))}/`;
}

/** A server that answers each connection's first bytes with these. */
async function raw(answer: (socket: Socket, nth: number) => void): Promise<string> {
  let count = 0;
  const port = await listening(
    createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => answer(socket, ++count));
    }),
  );
  return `http://127.0.0.1:${port}/`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const post = (url: string, body = 'x', timeoutMs = 20_000) =>
  client.post(url, { headers: { 'x-one': '1' }, body: Buffer.from(body), timeoutMs });
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n';

describe('an answer', () => {
  it('is its status, its headers and its body, in chunks or not', async () => {
    const url = await serve(async (request, response) => {
      response.writeHead(207, { 'retry-after': '5' });
      response.write(`${request.method} ${request.url} ${request.headers['x-one']} `);
      response.end(await bodyOf(request));
    });
    const answer = await post(`${url}prefix/api`, 'grüße');
    expect([answer.status, answer.headers['retry-after']]).toEqual([207, '5']);
    expect(answer.body.toString()).toBe('POST /prefix/api 1 grüße');
  });

  it('that points elsewhere is not followed', async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked++;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect((await post(url)).status).toBe(307);
    expect(asked).toBe(1);
  });

  it('longer than a mebibyte is none', async () => {
    const url = await serve((_, response) => void response.end('x'.repeat(1024 * 1024 + 1)));
    await expect(post(url)).rejects.toThrow('too long');
    const most = await serve((_, response) => void response.end('x'.repeat(1024 * 1024)));
    expect((await post(most)).body.length).toBe(1024 * 1024);
  });

  it('that comes before the whole request was read is taken', async () => {
    const url = await serve((_, response) => void response.writeHead(413).end('enough'));
    expect((await post(url, 'x'.repeat(200_000))).status).toBe(413);
  });

  it.each([
    ['cut within its body', 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf'],
    ['cut within its headers', 'HTTP/1.1 200 OK\r\nContent-'],
    ['that is no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['that changes the protocol', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'],
  ])('%s is none', async (_, text) => {
    const url = await raw((socket) => socket.end(text));
    await expect(post(url)).rejects.toThrow();
  });
});

describe('the connection', () => {
  it('is kept for requests that follow each other', async () => {
    const url = await serve((_, response) => void response.end('ok'));
    for (let i = 0; i < 3; i++) await post(url);
    expect(sockets.size).toBe(1);
  });

  it('is one, whatever is asked at once', async () => {
    const url = await serve((_, response) => void response.end('ok'));
    const answers = await Promise.all([post(url), post(url), post(url)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(sockets.size).toBe(1);
  });

  it('is not used again shortly before the server would end it', async () => {
    const url = await raw((socket) => socket.write(`${OK}Keep-Alive: timeout=2\r\n\r\nok`));
    await post(url);
    await post(url);
    expect(sockets.size).toBe(2);
  });

  it('that the server has ended since is not used again', async () => {
    const url = await raw((socket) => socket.end(`${OK}Keep-Alive: timeout=60\r\n\r\nok`));
    for (let i = 0; i < 3; i++) {
      expect((await post(url)).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(sockets.size).toBe(3);
  });

  it('that ends in the moment of asking fails the request, and the next one has another', async () => {
    const url = await raw((socket, nth) => (nth === 2 ? socket.destroy() : socket.write(`${OK}\r\nok`)));
    await post(url);
    await expect(post(url)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await post(url)).status).toBe(200);
    expect(sockets.size).toBe(2);
  });

  it('that nobody takes says so by its code, by any family of addresses', async () => {
    const url = await serve(() => {});
    for (const close of closers.splice(0)) await close();
    await expect(post(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(post(url.replace('127.0.0.1', 'localhost'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('patience ends', () => {
  it('with an answer that never comes', async () => {
    const url = await serve(() => {});
    await expect(post(url, 'x', 100)).rejects.toThrow('no complete answer within 100 ms');
  });

  it('with an answer that never ends, however much of it comes', async () => {
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write('.'), 10);
      response.on('close', () => clearInterval(timer));
    });
    await expect(post(url, 'x', 200)).rejects.toThrow('no complete answer within 200 ms');
  });

  it('with a connection that does not come about, TLS included', async () => {
    client = new HttpClient({ secure: true, connectMs: 100 });
    const silent = (await raw(() => {})).replace('http:', 'https:');
    await expect(post(silent)).rejects.toThrow('no connection within 100 ms');
  });

  it('only then: a request on a kept connection has as long as it is given', async () => {
    client = new HttpClient({ secure: false, connectMs: 50 });
    const url = await serve((_, response) => void setTimeout(() => response.end('ok'), 150));
    expect((await post(url)).status).toBe(200);
    expect((await post(url)).status).toBe(200);
  });

  it('at the end of the program: what is under way fails, and nothing more is sent', async () => {
    const url = await serve(() => {});
    const under = [post(url), post(url)].map((call) => call.catch((error: Error) => error.message));
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.close();
    expect(await Promise.all(under)).toEqual(['closed', 'closed']);
    await expect(post(url)).rejects.toThrow('closed');
    expect(sockets.size).toBe(1);
  });
});

describe('over TLS', () => {
  const secure = async () =>
    (
      await serve(
        (_, response) => void response.end('ok'),
        () => createSecureServer({ cert: CERT, key: KEY }) as unknown as Server,
      )
    ).replace('http:', 'https:');

  it('a certificate that is trusted is taken, by address and by name, and the connection is kept', async () => {
    client = new HttpClient({ secure: true, ca: CERT });
    const url = await secure();
    expect((await post(url)).status).toBe(200);
    expect((await post(url)).status).toBe(200);
    expect(sockets.size).toBe(1);
    client.close();
    client = new HttpClient({ secure: true, ca: CERT });
    expect((await post(url.replace('127.0.0.1', 'localhost'))).status).toBe(200);
  });

  it('any other is refused', async () => {
    client = new HttpClient({ secure: true });
    await expect(post(await secure())).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });
});
