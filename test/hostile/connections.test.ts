import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpDeps, HttpOptions } from '../../src/master/http/deps.ts';
import { BEARER, OPTIONS, testDeps } from '../../src/master/http/http.test-support.ts';
import { HttpServer } from '../../src/master/http/server.ts';

const MOST = 32;
const servers: HttpServer[] = [];
const sockets: Socket[] = [];
const agents: Agent[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const agent of agents.splice(0)) agent.destroy();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** A master to which this machine is an address like any other, unless `options` say otherwise. */
async function listening(options: Partial<HttpOptions> = {}, deps: Partial<HttpDeps> = {}): Promise<number> {
  const server = new HttpServer(
    { ...testDeps(), ...deps },
    { ...OPTIONS, isExempt: () => false, ...options },
  );
  servers.push(server);
  await server.start();
  return server.port;
}

/** Connections that are open and say nothing. */
async function hold(port: number, count: number): Promise<Socket[]> {
  const opened = Array.from({ length: count }, async () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
    await new Promise((resolve) => socket.once('connect', resolve));
    return socket;
  });
  return await Promise.all(opened);
}

/** Status of a request on a connection of its own, which stays open. */
function get(port: number, path: string, headers: Record<string, string>): Promise<number | string> {
  const agent = new Agent({ keepAlive: true });
  agents.push(agent);
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path, headers, agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)).end();
  });
}

async function untilClosed(held: readonly Socket[], count: number): Promise<void> {
  while (held.filter((socket) => socket.readableEnded || socket.destroyed).length < count) {
    for (const socket of held) socket.resume();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('connections of one address', () => {
  it('that say nothing are closed from the oldest on, and keep nobody out', async () => {
    const port = await listening();
    const held = await hold(port, MOST);
    expect(await get(port, '/api/v1/agents', BEARER)).toBe(200);
    await untilClosed(held, 1);
    await hold(port, 3);
    await untilClosed(held, 3);
    expect(held.filter((socket) => socket.readableEnded || socket.destroyed).length).toBeLessThan(6);
  });

  it('with the token count no longer, however many there are', async () => {
    const port = await listening();
    for (let i = 0; i < 2 * MOST; i++) expect(await get(port, '/api/v1/agents', BEARER)).toBe(200);
    const open = agents.flatMap((agent) => Object.values(agent.freeSockets).flatMap((list) => list ?? []));
    await hold(port, MOST + 5);
    expect(open.filter((socket) => !socket.destroyed)).toHaveLength(2 * MOST);
  });

  it('on each of which a request is under way stay, and the next is closed', async () => {
    const gate = Promise.withResolvers<void>();
    let asked = 0;
    const { stats } = testDeps();
    const waiting: HttpDeps['stats'] = {
      ...stats,
      summary: async (question) => {
        asked++;
        await gate.promise;
        return stats.summary(question);
      },
    };
    const port = await listening({ apiToken: null }, { stats: waiting });
    const answers = Array.from({ length: MOST }, () => get(port, '/api/v1/stats?type=summary', {}));
    while (asked < MOST) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(['ECONNRESET', 'EPIPE']).toContain(await get(port, '/api/v1/health', {}));
    gate.resolve();
    expect(await Promise.all(answers)).toEqual(Array(MOST).fill(200));
    expect(await get(port, '/api/v1/health', {})).toBe(200);
  });

  it('are not counted where it is this machine', async () => {
    const server = new HttpServer(testDeps(), OPTIONS);
    servers.push(server);
    await server.start();
    const held = await hold(server.port, 2 * MOST);
    expect(await get(server.port, '/api/v1/health', {})).toBe(200);
    expect(held.filter((socket) => socket.destroyed || socket.readableEnded)).toEqual([]);
  });
});
