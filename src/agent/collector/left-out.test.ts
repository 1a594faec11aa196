import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../../test/support/wait.ts';
import { SimulatedCore } from '../../simulator/core.ts';
import { SimulatedCoreServer } from '../../simulator/server.ts';
import { Collector } from './collector.ts';
import { LeftOut } from './left-out.ts';

const MINUTE = 60_000;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function logging() {
  const lines: Record<string, unknown>[] = [];
  const sink = {
    write: (line: string) => {
      lines.push(JSON.parse(line));
    },
  };
  return { lines, log: pino({ base: null }, sink) };
}

test('what is left out is said at once, and then at most once an hour with the most at a time', () => {
  const { lines, log } = logging();
  let now = 0;
  const leftOut = new LeftOut(log, () => now);
  leftOut.count(0, 0);
  expect(lines).toEqual([]);
  for (; now < 150 * MINUTE; now += MINUTE) leftOut.count(now === 30 * MINUTE ? 7 : 1, 2);
  expect(lines).toMatchObject([
    { level: 40, unreadable: 1, tooMany: 2, snapshots: 1 },
    { level: 40, unreadable: 7, tooMany: 2, snapshots: 60 },
    { level: 40, unreadable: 1, tooMany: 2, snapshots: 60 },
  ]);
});

test('a collector says how many connections it does not follow', async () => {
  const core = new SimulatedCore();
  for (let i = 0; i < 5; i++) core.open();
  const server = new SimulatedCoreServer({ core, port: 0 });
  await server.start();
  cleanups.push(() => server.stop());
  const { lines, log } = logging();
  const collector = new Collector({
    target: { host: '127.0.0.1', port: server.port, token: '' },
    interval: 100,
    maxTracked: 3,
    clock: { now: Date.now },
    logger: log,
    sink: { opened: () => {}, snapshot: () => {}, broken: () => {} },
  });
  cleanups.push(() => collector.stop());
  collector.start();
  await waitFor('several snapshots', () => collector.counters.folded >= 6);
  const said = lines.filter(({ msg }) => String(msg).startsWith('connections of the core are not followed'));
  expect(said).toMatchObject([{ unreadable: 0, tooMany: 2, snapshots: 1 }]);
});
