import { describe, expect, test } from 'vitest';
import { SimulatedCore } from './core.ts';
import type { CoreSnapshot } from './message.ts';
import { ROUTER, steadyLoad } from './profiles.ts';
import { GROUPS } from './proxies.ts';
import type { TrueConnection } from './truth.ts';

const HOUR = 3_600_000;

function simulate(profile = ROUTER, ms = HOUR, seed = 1): SimulatedCore {
  const core = new SimulatedCore({ seed, profile });
  core.advance(ms);
  return core;
}

function all(core: SimulatedCore): TrueConnection[] {
  return [...core.truth.connections.values()];
}

function expectConserved(core: SimulatedCore): void {
  const { truth } = core;
  for (const run of truth.runs) {
    const { download, upload } = truth.counted(run);
    expect({
      download: download + run.unlistedDownload,
      upload: upload + run.unlistedUpload,
    }).toEqual({ download: run.download, upload: run.upload });
  }
}

describe('determinism', () => {
  test('the same seed and calls give the same messages, another seed others', () => {
    const run = (seed: number) => {
      const core = new SimulatedCore({ seed, profile: ROUTER });
      const frames: string[] = [];
      for (let i = 0; i < 60; i++) {
        core.advance(1000);
        if (i === 30) core.restart(500);
        frames.push(core.frame());
      }
      return frames;
    };
    expect(run(5)).toEqual(run(5));
    expect(run(5)[10]).not.toBe(run(6)[10]);
  });

  test('the history does not depend on the steps in which time passes', () => {
    const run = (steps: number) => {
      const core = new SimulatedCore({ seed: 9, profile: { ...ROUTER, tornShare: 0 } });
      for (let i = 0; i < steps; i++) core.advance(600_000 / steps);
      return core.frame();
    };
    expect(run(1)).toBe(run(600));
  });
});

describe('behaviour 8: totals hold counted traffic only', () => {
  test('over hours with restarts, resets and reloads the books of the truth balance to the byte', () => {
    const core = new SimulatedCore({ seed: 4, profile: ROUTER });
    for (let minute = 0; minute < 180; minute++) {
      core.advance(60_000);
      core.frame();
      if (minute % 50 === 20) core.restart(2000);
      if (minute % 50 === 30) core.resetStatistics();
      if (minute % 50 === 40) core.reload();
      if (minute % 50 === 45) core.closeAll();
    }
    expectConserved(core);
    expect(core.truth.runs.length).toBe(5);
    expect(all(core).some((connection) => !connection.counted && connection.download > 0)).toBe(true);
  });

  test('hops and DNS over a proxy are Inner without a process, the own downloads have one', () => {
    const core = simulate(ROUTER, 12 * HOUR);
    const inner = all(core).filter((connection) => connection.fields.type === 'Inner');
    const own = inner.filter((connection) => connection.fields.process === 'mihomo');
    expect(own.length).toBeGreaterThan(0);
    for (const connection of inner) expect(connection.counted).toBe(connection.fields.process !== '');
    const hops = inner.filter(
      (connection) => connection.fields.destinationPort === '443' && !connection.counted,
    );
    expect(hops.length).toBeGreaterThan(10);
  });

  test('a torn message has counters ahead of its totals, and the next totals catch up', () => {
    const core = new SimulatedCore({ profile: { ...steadyLoad(50), tornShare: 1 } });
    core.advance(1000);
    const torn = core.snapshot();
    const sum = (snapshot: CoreSnapshot) =>
      snapshot.connections!.reduce((bytes, record) => bytes + record.download, 0);
    expect(sum(torn)).toBeGreaterThan(torn.downloadTotal);
    core.advance(1000);
    expect(core.snapshot().downloadTotal).toBeGreaterThan(sum(torn));
    expectConserved(core);
  });
});

test('behaviour 9: what is never listed is a large part of the connections and a small one of the bytes', () => {
  const core = new SimulatedCore({ seed: 2, profile: ROUTER });
  for (let second = 0; second < 1800; second++) {
    core.advance(1000);
    core.frame();
  }
  const counted = all(core).filter((connection) => connection.counted);
  const unseen = counted.filter((connection) => connection.listedAt === null);
  expect(unseen.length / counted.length).toBeGreaterThan(0.1);
  expect(unseen.length / counted.length).toBeLessThan(0.4);
  const bytes = (list: TrueConnection[]) => list.reduce((sum, connection) => sum + connection.download, 0);
  const late = counted.reduce((sum, connection) => sum + connection.download - connection.listedDownload, 0);
  expect(bytes(unseen) / bytes(counted)).toBeLessThan(0.05);
  expect(late / bytes(counted)).toBeGreaterThan(0.005);
  expect(late / bytes(counted)).toBeLessThan(0.3);
});

test('behaviour 10: UDP stays flat for a minute, and one entry may serve several hosts', () => {
  const core = new SimulatedCore({ seed: 3, profile: { ...ROUTER, udpShare: 1, pageEveryMs: 1e9 } });
  core.advance(5 * 60_000);
  const before = new Map(core.snapshot().connections!.map((record) => [record.id, record.download]));
  core.advance(1000);
  const flat = core.snapshot().connections!.filter((record) => before.get(record.id) === record.download);
  expect(flat.length / before.size).toBeGreaterThan(0.5);
  const closed = all(core).filter(
    (connection) => connection.fields.network === 'udp' && connection.counted && connection.closedAt !== null,
  );
  for (const connection of closed)
    expect(connection.closedAt! - connection.openedAt).toBeGreaterThanOrEqual(60_000);
  expect(all(core).some((connection) => connection.destinations.length > 1)).toBe(true);
});

test('behaviour 11: idle for hours, tiny keep-alives, and a speed test', () => {
  const core = new SimulatedCore({ seed: 8, profile: { ...ROUTER, speedTestEveryMs: HOUR } });
  core.advance(6 * HOUR);
  const old = all(core).filter((connection) => core.now - connection.openedAt > HOUR && !connection.closedAt);
  expect(old.some((connection) => connection.download === 0)).toBe(true);
  expect(old.some((connection) => connection.download > 0 && connection.download < 200_000)).toBe(true);
  const fast = all(core).filter((connection) => connection.download === 1_250_000_000);
  expect(fast.length).toBeGreaterThan(0);
});

describe('behaviour 12: bursts', () => {
  test('page loads open dozens within a second', () => {
    const core = simulate({ ...ROUTER, arrivals: 0.1, pageEveryMs: 60_000 }, HOUR);
    const bySecond = new Map<number, number>();
    for (const { openedAt } of all(core)) {
      const second = Math.floor(openedAt / 1000);
      bySecond.set(second, (bySecond.get(second) ?? 0) + 1);
    }
    expect(Math.max(...bySecond.values())).toBeGreaterThan(25);
  });

  test('after a proxy switch old connections keep their chains, new ones take the other way', () => {
    const core = simulate(ROUTER, 60_000);
    const through = () =>
      all(core).filter((connection) => !connection.closedAt && connection.fields.chains.includes(GROUPS.ai));
    const before = through().map((connection) => connection.node);
    core.switchProxy(GROUPS.ai, 'DIRECT');
    expect(through().map((connection) => connection.node)).toEqual(before);
    const at = core.now;
    core.advance(10 * 60_000);
    const later = all(core).filter(
      (connection) => connection.openedAt > at && connection.fields.chains.at(-1) === GROUPS.ai,
    );
    expect(later.length).toBeGreaterThan(0);
    for (const connection of later) expect(connection.node).toBe('DIRECT');
    expect(() => core.switchProxy('nobody', 'DIRECT')).toThrow('no group');
  });

  test('an update of a provider ends all that goes through it', () => {
    const core = simulate({ ...ROUTER, providerUpdateEveryMs: 60_000 }, HOUR);
    const ended = new Map<number, number>();
    for (const { closedAt, fields } of all(core))
      if (closedAt && fields.providerChains[0] !== '') ended.set(closedAt, (ended.get(closedAt) ?? 0) + 1);
    expect(Math.max(...ended.values())).toBeGreaterThan(20);
  });
});

test('behaviour 13: REJECT flashes, REJECT-DROP stays a minute without bytes, plain HTTP shares ports', () => {
  const core = simulate({ ...ROUTER, types: { HTTP: 1 }, udpShare: 0 });
  const closed = all(core).filter((connection) => connection.closedAt && connection.listedAt === null);
  const rejected = closed.filter((connection) => connection.node === 'REJECT');
  expect(rejected.length).toBeGreaterThan(20);
  for (const connection of rejected) expect(connection.closedAt! - connection.openedAt).toBeLessThan(25);
  const dropped = closed.filter(
    (connection) => connection.node === 'REJECT-DROP' && connection.closedAt! > connection.openedAt,
  );
  expect(dropped.length).toBeGreaterThan(5);
  for (const connection of dropped) {
    expect(connection.closedAt! - connection.openedAt).toBe(60_000);
    expect(connection.download + connection.upload).toBe(0);
  }
  const sockets = core.snapshot().connections!.map((record) => {
    const { sourceIP, sourcePort } = record.metadata as Record<string, string>;
    return `${sourceIP} ${sourcePort}`;
  });
  expect(new Set(sockets).size).toBeLessThan(sockets.length);
});

describe('behaviour 14: restart and reload', () => {
  test('the table is empty first, ids are new, and everything comes back', () => {
    const core = new SimulatedCore({ profile: steadyLoad(100) });
    core.advance(1000);
    const before = new Set(core.ids());
    core.restart(700);
    core.advance(700);
    expect(core.snapshot()).toMatchObject({ downloadTotal: 0, connections: null });
    core.advance(3000);
    expect(core.size).toBe(100);
    for (const id of core.ids()) expect(before.has(id)).toBe(false);
  });

  test('nothing opens for a second after a reload', () => {
    const core = simulate({ ...ROUTER, arrivals: 100 }, 5000);
    const at = core.now;
    core.reload();
    core.advance(2000);
    const opened = all(core).filter((connection) => connection.openedAt > at);
    expect(Math.min(...opened.map((connection) => connection.openedAt))).toBeGreaterThanOrEqual(at + 1000);
  });
});

describe('behaviour 18: the truth', () => {
  test('every message agrees with it, and its sums by host and node with its totals', () => {
    const core = new SimulatedCore({ seed: 18, profile: ROUTER });
    for (let second = 0; second < 300; second++) {
      core.advance(1000);
      const { connections } = core.snapshot();
      const { truth } = core;
      for (const record of connections ?? []) {
        const known = truth.connections.get(record.id)!;
        expect(known.listedDownload).toBe(record.download);
        expect(known.download).toBeGreaterThanOrEqual(record.download);
      }
    }
    const { truth } = core;
    for (const sums of [truth.byHost(), truth.byNode()]) {
      const download = [...sums.values()].reduce((sum, bytes) => sum + bytes.download, 0);
      expect(download).toBe(truth.run.download);
    }
  });

  test('closed connections are forgotten on demand, the totals stay', () => {
    const kept = simulate(ROUTER, HOUR, 7);
    const core = new SimulatedCore({ seed: 7, profile: ROUTER, forgetClosed: true });
    core.advance(HOUR);
    expect(core.truth.connections.size).toBe(core.size);
    expect(core.totals).toEqual(kept.totals);
  });
});
