import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { SimulatedCore } from './core.ts';
import { SimulatedCoreServer, type SimulatedCoreServerOptions } from './server.ts';

/** For the tests of the server: it, and clients of every kind. */

const cleanups: (() => unknown)[] = [];

/** Ends what a test began; to be called after each. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** Something to be ended with the test. */
export function afterwards(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

export async function serve(options: Partial<SimulatedCoreServerOptions> = {}) {
  const core = options.core ?? new SimulatedCore({ startAt: Date.now() });
  const server = new SimulatedCoreServer({ core, ...options });
  await server.start();
  cleanups.push(() => server.stop());
  return { core, server };
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export function ask(
  where: SimulatedCoreServer | string,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const target = typeof where === 'string' ? { socketPath: where } : { host: '127.0.0.1', port: where.port };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...target, path, ...options, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text) => {
        body += text;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, headers: {}, body: '' });
    });
    request.on('error', reject);
    request.end();
  });
}

/** Opens a feed and collects what comes. */
export function watch(
  server: SimulatedCoreServer,
  path = '/connections',
  headers: Record<string, string> = {},
) {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers, perMessageDeflate: true });
  const messages: string[] = [];
  const times: number[] = [];
  const state = { code: 0, status: 0, pongs: 0 };
  socket.on('message', (data) => {
    messages.push(String(data));
    times.push(performance.now());
  });
  socket.on('pong', () => state.pongs++);
  socket.on('unexpected-response', (_request, response) => {
    state.status = response.statusCode ?? 0;
    socket.terminate();
  });
  socket.on('error', () => {});
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code) => {
      state.code = code;
      resolve(code);
    });
  });
  cleanups.push(() => socket.terminate());
  return { socket, messages, times, state, closed };
}

export async function until(condition: () => boolean, ms = 5000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not happen within ${ms} ms: ${condition}`);
    await sleep(5);
  }
}

export const HANDSHAKE = {
  connection: 'Upgrade',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
};

/** A socket that has sent a good handshake and got its 101. */
export async function rawSocket(server: SimulatedCoreServer, path: string): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1');
  cleanups.push(() => socket.destroy());
  const lines = Object.entries({ host: 'core', upgrade: 'websocket', ...HANDSHAKE });
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`);
  await new Promise((resolve) => socket.once('readable', resolve));
  return socket;
}

/** All bytes of the first message on the wire, its head included. */
export async function rawFeed(server: SimulatedCoreServer): Promise<Buffer> {
  const socket = await rawSocket(server, '/connections');
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  const body = () => bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
  await until(() => bytes.includes('\r\n\r\n') && body().includes('memory') && body().at(-1) === 0x0a);
  socket.destroy();
  return body();
}
