// The original slept after an error of connecting only: a core, or a proxy before it, that accepted and closed was connected
// to again at once, thousands of times a second.
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { SOURCES } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { sleep, waitFor } from '../support/wait.ts';

let directory: TestDirectory;
const servers: Server[] = [];
beforeEach(() => {
  directory = new TestDirectory();
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  directory.remove();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** How often an agent came within three seconds of its first attempt. */
async function attempts(port: number, count: () => number): Promise<number> {
  const agent = startAgent({ program: SOURCES, journal: directory.file('agent.db'), core: port });
  try {
    await waitFor('a first attempt', () => count() > 0);
    await sleep(3000);
    return count();
  } finally {
    expect((await agent.stop()).code).toBe(0);
  }
}

it('L12: something that accepts and closes is tried now and then', async () => {
  let connections = 0;
  const port = await listen(
    createServer((socket) => {
      connections++;
      socket.on('error', () => {});
      socket.destroy();
    }),
  );
  expect(await attempts(port, () => connections)).toBeLessThan(20);
});

it('L12: so is a core that ends every feed as soon as it is open', async () => {
  let feeds = 0;
  const server = createHttpServer((request, response) => {
    if (request.url === '/version') response.end('{"meta":true,"version":"v1.19.31"}');
    else response.writeHead(503).end();
  });
  server.on('upgrade', (_request, socket) => {
    feeds++;
    socket.on('error', () => {});
    socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  });
  const port = await listen(server);
  expect(await attempts(port, () => feeds)).toBeLessThan(20);
});
