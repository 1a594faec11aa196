import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { silentLogger } from '../../common/logger.ts';
import type { SnapshotDiff } from '../../domain/snapshot.ts';
import { SimulatedCore } from '../../simulator/core.ts';
import { SimulatedCoreServer, type SimulatedCoreServerOptions } from '../../simulator/server.ts';
import { Collector } from './collector.ts';
import type { CoreTarget } from './core-target.ts';
import type { FeedLimits } from './feed-limits.ts';
import type { SnapshotSink } from './sink.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Patience for tests: everything happens within a second. */
const QUICK: Partial<FeedLimits> = {
  silenceMs: 400,
  answerMs: 400,
  checkMs: 20,
  retryBaseMs: 40,
  retryCapMs: 80,
  retryFloorMs: 20,
  refusedFloorMs: 60,
  refusedCapMs: 120,
  switchMs: 50,
  switchFailedMs: 200,
  pollingMs: 300,
};

interface Watched {
  collector: Collector;
  /** `open`, `broken:<reason>` and `snap`, repeated snapshots once. */
  events: string[];
  diffs: SnapshotDiff[];
  details: string[];
  unbroken: boolean[];
  infos: Parameters<SnapshotSink['opened']>[0][];
}

function watch(
  target: Partial<CoreTarget>,
  interval: 'auto' | number = 60,
  limits: Partial<FeedLimits> = {},
): Watched {
  const events: string[] = [];
  const note = (event: string) => {
    if (event !== 'snap' || events.at(-1) !== 'snap') events.push(event);
  };
  const watched = { events, diffs: [], details: [], unbroken: [], infos: [] } as unknown as Watched;
  const collector = new Collector({
    target: { host: '127.0.0.1', port: 1, token: '', ...target },
    interval,
    clock: { now: Date.now },
    logger: silentLogger(),
    limits: { ...QUICK, ...limits },
    sink: {
      opened: (info) => {
        watched.infos.push(info);
        note(info.polled ? 'open:polled' : 'open');
      },
      snapshot: (diff, info) => {
        watched.diffs.push(diff);
        watched.unbroken.push(info.unbroken);
        note('snap');
      },
      broken: (reason, detail) => {
        watched.details.push(detail);
        note(`broken:${reason}`);
      },
    },
  });
  watched.collector = collector;
  cleanups.push(() => collector.stop());
  collector.start();
  return watched;
}

async function until(condition: () => boolean, ms = 5000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not happen within ${ms} ms: ${condition}`);
    await sleep(5);
  }
}

async function simulate(options: Partial<SimulatedCoreServerOptions> = {}) {
  const core = options.core ?? new SimulatedCore({ startAt: Date.now() });
  const server = new SimulatedCoreServer({ core, ...options });
  await server.start();
  cleanups.push(() => server.stop());
  return { core, server };
}

/** Listens on a free port and is closed after the test, connections and all. */
async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const VERSION = '{"meta":true,"version":"v1.19.31"}';
const EMPTY = '{"downloadTotal":1,"uploadTotal":2,"connections":null,"memory":0}\n';

/** A core whose feed does what the test says; the rest is as usual. */
async function fakeCore(
  onFeed: (send: (data: string | Buffer) => void, request: IncomingMessage, end: () => void) => void,
) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.end(request.url === '/version' ? VERSION : EMPTY);
  });
  const feeds = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => {
    requests.push(`upgrade ${request.url}`);
    feeds.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => {});
      cleanups.push(() => ws.terminate());
      onFeed(
        (data) => ws.send(data, { binary: false }),
        request,
        () => ws.terminate(),
      );
    });
  });
  return { port: await listen(server), requests, server };
}

describe('a core that works', () => {
  it('is introduced, then every snapshot comes', async () => {
    const { core, server } = await simulate({ secret: 'p ss+' });
    const id = core.open({}, { download: 1000, upload: 10 });
    const watched = watch({ port: server.port, token: 'p ss+' });
    await until(() => watched.diffs.length >= 3);
    expect(watched.events).toEqual(['open', 'snap']);
    expect(watched.infos[0]).toMatchObject({ kind: 'mihomo', clockOffsetMs: 0, fresh: true, polled: false });
    expect(watched.diffs[0]?.added.map((listed) => [listed.fields.id, listed.download])).toEqual([
      [id, 1000],
    ]);
    expect(watched.unbroken.slice(0, 3)).toEqual([false, true, true]);
    expect(watched.collector).toMatchObject({ state: 'connected', interval: 60, listed: 1 });
    expect(Math.abs((watched.collector.lastSnapshotAt ?? 0) - Date.now())).toBeLessThan(1000);
  });

  it('has its clock compared', async () => {
    const { server } = await simulate({ core: new SimulatedCore({ startAt: Date.now(), skewMs: 90_000 }) });
    const watched = watch({ port: server.port });
    await until(() => watched.infos.length > 0);
    expect(Math.abs((watched.infos[0]?.clockOffsetMs ?? 0) - 90_000)).toBeLessThan(1000);
  });

  it('is reached over a Unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'collector-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const socketPath = join(folder, 'a:b core.sock');
    await simulate({ socketPath, port: null, secret: 'x' });
    const watched = watch({ socketPath });
    await until(() => watched.diffs.length >= 2);
    expect(watched.events).toEqual(['open', 'snap']);
  });

  it('is reached over TLS with its own certificate, or with any', async () => {
    const tls = {
      key: readFileSync(new URL('../../../test/fixtures/tls/key.pem', import.meta.url), 'utf8'),
      cert: readFileSync(new URL('../../../test/fixtures/tls/cert.pem', import.meta.url), 'utf8'),
    };
    const { server } = await simulate({ tls });
    const known = watch({ port: server.port, tls: { ca: tls.cert, insecure: false } });
    const insecure = watch({ port: server.port, tls: { insecure: true } });
    const strict = watch({ port: server.port, tls: { insecure: false } });
    await until(() => known.diffs.length > 1 && insecure.diffs.length > 1 && strict.events.length > 0);
    expect(strict.events).toEqual(['broken:core-down']);
    expect(strict.details[0]).toMatch(/self.signed/i);
  });

  it('may send huge frames, split anywhere', async () => {
    const big = Buffer.from(EMPTY.replace('"memory":0', `"memory":0,"pad":"${'x'.repeat(3_000_000)}"`));
    const { port } = await fakeCore((send) => {
      send(big);
      send(EMPTY);
    });
    const watched = watch({ port });
    await until(() => watched.collector.counters.frames + watched.collector.counters.replaced >= 2);
    expect(watched.collector.counters.badFrames).toBe(0);
  });

  it('is asked in a way that proxies and old cores understand', async () => {
    let headers: IncomingMessage['headers'] = {};
    const { port, requests } = await fakeCore((send, request) => {
      headers = request.headers;
      send(EMPTY);
    });
    const watched = watch({ port, token: 'sécret 密' }, 500);
    await until(() => watched.diffs.length > 0);
    expect(requests).toEqual(['/version', 'upgrade /connections?interval=500']);
    expect(headers).toMatchObject({
      upgrade: 'websocket',
      authorization: `Bearer ${Buffer.from('sécret 密').toString('latin1')}`,
      host: `127.0.0.1:${port}`,
    });
    expect(headers['sec-websocket-extensions']).toBeUndefined();
    expect(headers['sec-websocket-protocol']).toBeUndefined();
  });
});

describe('a core that does not', () => {
  it('refuses the secret: told apart, tried again, and well when it is right', async () => {
    const { server } = await simulate({ secret: 'right' });
    const watched = watch({ port: server.port, token: 'wrong' });
    await until(() => watched.collector.counters.connects >= 3);
    expect(watched.events).toEqual(['broken:unauthorized']);
    expect(watched.collector.state).toBe('unauthorized');
    server.secret = 'wrong';
    await until(() => watched.diffs.length > 0);
    expect(watched.events).toEqual(['broken:unauthorized', 'open', 'snap']);
  });

  it('is not there at first', async () => {
    const { server } = await simulate();
    await server.refuse();
    const watched = watch({ port: server.port });
    await until(() => watched.collector.counters.connects >= 3);
    expect(watched.events).toEqual(['broken:core-down']);
    expect(watched.details[0]).toContain('ECONNREFUSED');
    expect(watched.collector.state).toBe('down');
    await server.accept();
    await until(() => watched.diffs.length > 0);
    expect(watched.events).toEqual(['broken:core-down', 'open', 'snap']);
    expect(watched.infos[0]?.fresh).toBe(true);
  });

  it('restarts: broken, then opened anew', async () => {
    const { core, server } = await simulate();
    core.open({}, { download: 5 });
    const watched = watch({ port: server.port });
    await until(() => watched.diffs.length >= 2);
    await server.restart({ downMs: 100 });
    await until(() => watched.infos.length === 2 && watched.collector.state === 'connected');
    expect(watched.events).toEqual(['open', 'snap', 'broken:core-down', 'open', 'snap']);
    expect(watched.infos[1]?.fresh).toBe(false);
    expect(watched.unbroken.filter((unbroken) => !unbroken)).toHaveLength(2);
    await until(() => watched.collector.listed === 0);
  });

  it('falls silent without closing', async () => {
    const { server } = await simulate();
    const watched = watch({ port: server.port });
    await until(() => watched.diffs.length >= 2);
    server.stall();
    await until(() => watched.events.includes('broken:stalled'));
    expect(watched.collector.state).toBe('stalled');
    server.unstall();
    await until(() => watched.events.length === 5);
    expect(watched.events).toEqual(['open', 'snap', 'broken:stalled', 'open', 'snap']);
  });

  it('is cut off in the middle of a frame', async () => {
    const { server } = await simulate();
    const watched = watch({ port: server.port });
    await until(() => watched.diffs.length >= 2);
    server.cutMidFrame();
    await until(() => watched.events.length === 5);
    expect(watched.events).toEqual(['open', 'snap', 'broken:core-down', 'open', 'snap']);
    expect(watched.collector.counters.badFrames).toBe(0);
  });

  it('resets every connection', async () => {
    const { server } = await simulate();
    const watched = watch({ port: server.port });
    await until(() => watched.diffs.length >= 2);
    server.reset();
    await until(() => watched.events.length === 5);
    expect(watched.events).toEqual(['open', 'snap', 'broken:core-down', 'open', 'snap']);
  });

  it('accepts and closes: no hot loop', async () => {
    const { port, requests } = await fakeCore((_send, _request, end) => end());
    const watched = watch({ port }, 60, { retryBaseMs: 100, retryCapMs: 100, retryFloorMs: 50 });
    await sleep(1000);
    expect(requests.length).toBeGreaterThan(4);
    // A version and an upgrade for each attempt, at least 50 ms apart.
    expect(requests.length).toBeLessThan(44);
    expect(watched.events).toEqual(['broken:core-down']);
  });

  it('accepts TCP and closes: no hot loop', async () => {
    let accepted = 0;
    const server = createTcpServer((socket) => {
      accepted++;
      socket.on('error', () => {});
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    const watched = watch({ port: (server.address() as AddressInfo).port });
    await sleep(600);
    expect(accepted).toBeLessThan(40);
    expect(watched.events).toEqual(['broken:core-down']);
  });

  it('talks nonsense: bad frames are counted, a few are forgiven, many are no core', async () => {
    let nonsense = 2;
    const { port } = await fakeCore((send) => {
      send(EMPTY);
      const timer = setInterval(() => send(nonsense-- > 0 ? '<html>' : EMPTY), 20);
      cleanups.push(() => clearInterval(timer));
    });
    const watched = watch({ port });
    await until(() => watched.diffs.length >= 4);
    expect(watched.events).toEqual(['open', 'snap']);
    expect(watched.collector.counters.badFrames).toBe(2);
    nonsense = 4;
    await until(() => watched.events.length >= 5);
    expect(watched.events.slice(0, 5)).toEqual(['open', 'snap', 'broken:core-down', 'open', 'snap']);
    expect(watched.details[0]).toContain('not-json');
  });

  it('is something else altogether: never opened', async () => {
    const { server } = await simulate();
    server.answerWith(200, '<html>portal</html>');
    const watched = watch({ port: server.port });
    await until(() => watched.collector.counters.badFrames >= 6);
    expect(watched.events).toEqual(['broken:core-down']);
    server.answerWith(502, 'bad gateway');
    await sleep(200);
    expect(watched.events).toEqual(['broken:core-down']);
    server.answerNormally();
    await until(() => watched.diffs.length > 0);
  });

  it('has a secret that no header can hold', async () => {
    const { server } = await simulate();
    const watched = watch({ port: server.port, token: 'line\nbreak' });
    await until(() => watched.collector.counters.connects >= 2);
    expect(watched.events).toEqual(['broken:core-down']);
    expect(watched.details[0]).not.toContain('break');
  });
});

describe('without a WebSocket', () => {
  it.each([200, 400, 403, 426, 501])('is polled when the upgrade is answered with %i', async (status) => {
    let upgrades = 0;
    const server = createServer((request, response) => {
      if (request.headers.upgrade !== undefined) upgrades++;
      response.end(request.url === '/version' ? VERSION : EMPTY);
    });
    server.on('upgrade', (_request, socket) => {
      upgrades++;
      socket.on('error', () => {});
      socket.end(`HTTP/1.1 ${status} No\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`);
    });
    const watched = watch({ port: await listen(server) }, 30, { pollingMs: 60_000 });
    await until(() => watched.diffs.length >= 4);
    expect(watched.events).toEqual(['open:polled', 'snap']);
    expect(watched.unbroken).not.toContain(true);
    expect(upgrades).toBe(1);
  });

  it('is polled when the upgrade is dropped again and again, and streams again later without a gap', async () => {
    const { server } = await simulate();
    server.dropConnects(2);
    const watched = watch({ port: server.port });
    await until(() => watched.events.includes('open:polled'));
    await until(() => watched.infos.at(-1)?.polled === false);
    await until(() => watched.unbroken.at(-1) === true);
    expect(watched.events).toEqual(['broken:core-down', 'open:polled', 'snap', 'open', 'snap']);
  });

  it('notices when polling ends', async () => {
    const server = createServer((request, response) => {
      response.end(request.url === '/version' ? VERSION : EMPTY);
    });
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n'));
    const port = await listen(server);
    const watched = watch({ port }, 30);
    await until(() => watched.diffs.length >= 2);
    server.close();
    server.closeAllConnections();
    await until(() => watched.events.includes('broken:core-down'));
    expect(watched.collector.state).toBe('down');
  });
});

describe('the interval', () => {
  it('follows the size of the table without a gap', async () => {
    const { core, server } = await simulate();
    const watched = watch({ port: server.port }, 'auto', { silenceMs: 5000 });
    await until(() => watched.collector.interval === 250);
    for (let i = 0; i < 301; i++) core.open({}, { download: 1 });
    await until(() => watched.collector.interval === 500);
    expect(watched.events).toEqual(['open', 'snap']);
    expect(watched.collector.counters).toMatchObject({ switches: 2, connects: 1, badFrames: 0 });
    expect(watched.unbroken.slice(1)).not.toContain(false);
    // The old feeds are closed.
    await until(() => server.clients === 1);
  });

  it('is not sent to a core that may take it for seconds', async () => {
    const { core, server } = await simulate({
      core: new SimulatedCore({ startAt: Date.now(), dialect: 'clash-rs' }),
    });
    core.open({}, { download: 1 });
    const watched = watch({ port: server.port }, 'auto', { silenceMs: 5000 });
    await until(() => watched.diffs.length >= 2);
    expect(watched.collector.interval).toBe(1000);
    expect(watched.infos[0]?.kind).toBe('other');
  });

  it('is given up when the core does not keep to it', async () => {
    const { port, requests } = await fakeCore((send, request) => {
      send(EMPTY);
      // Seconds, not milliseconds.
      if (request.url?.includes('interval')) return;
      const timer = setInterval(() => send(EMPTY), 30);
      cleanups.push(() => clearInterval(timer));
    });
    const watched = watch({ port }, 50, { silenceMs: 5000 });
    await until(() => watched.diffs.length >= 4);
    expect(requests).toEqual(['/version', 'upgrade /connections?interval=50', 'upgrade /connections']);
    expect(watched.events).toEqual(['open', 'snap']);
    expect(watched.collector.interval).toBe(1000);
  });

  it('stays when the new feed does not open', async () => {
    let upgrades = 0;
    const { port, server } = await fakeCore((send) => {
      const timer = setInterval(() => send(EMPTY), 20);
      cleanups.push(() => clearInterval(timer));
    });
    server.prependListener('upgrade', (_request, socket) => {
      if (++upgrades > 1) socket.destroy();
    });
    const watched = watch({ port }, 'auto', { silenceMs: 5000 });
    await until(() => upgrades >= 3);
    expect(watched.events).toEqual(['open', 'snap']);
    expect(watched.collector).toMatchObject({ state: 'connected', interval: 1000 });
  });
});

describe('a pile of frames', () => {
  it('costs one: only the newest is handled', async () => {
    const { port } = await fakeCore((send) => {
      for (let i = 1; i <= 200; i++) send(EMPTY.replace('"downloadTotal":1', `"downloadTotal":${i}`));
    });
    const watched = watch({ port });
    await until(() => watched.diffs.at(-1)?.downloadTotal === 200);
    const { frames, replaced } = watched.collector.counters;
    expect(frames + replaced).toBe(200);
    expect(frames).toBeLessThan(100);
  });
});

describe('stop', () => {
  it('is immediate, may be repeated, and nothing follows', async () => {
    const { server } = await simulate();
    const watched = watch({ port: server.port });
    await until(() => watched.diffs.length >= 2);
    watched.collector.stop();
    watched.collector.stop();
    const count = watched.diffs.length;
    await sleep(200);
    expect(watched.diffs).toHaveLength(count);
    expect(server.clients).toBe(0);
    expect(watched.events).toEqual(['open', 'snap']);
  });

  it('works before anything was answered, and without a start', async () => {
    const { server } = await simulate();
    server.stall();
    const watched = watch({ port: server.port });
    await sleep(20);
    watched.collector.stop();
    server.unstall();
    await sleep(100);
    expect(watched.events).toEqual([]);
  });
});
