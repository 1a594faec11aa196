import { beforeAll, describe, expect, test } from 'vitest';
import { all, expectConserved } from './core.test-support.ts';
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

interface Movement {
  at: number;
  download: number;
}

/** Lets time pass in steps: for each connection that was listed, when its counters were seen to move. */
function movements(core: SimulatedCore, time: { steps: number; stepMs: number }): Map<string, Movement[]> {
  const moved = new Map<string, Movement[]>();
  const last = new Map<string, { download: number; upload: number }>();
  for (let step = 0; step < time.steps; step++) {
    core.advance(time.stepMs);
    for (const { id, download, upload } of core.snapshot().connections ?? []) {
      const before = last.get(id) ?? { download: 0, upload: 0 };
      if (!moved.has(id)) moved.set(id, []);
      if (download > before.download || upload > before.upload)
        moved.get(id)!.push({ at: core.now, download: download - before.download });
      last.set(id, { download, upload });
    }
  }
  return moved;
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

describe('behaviour 10: UDP', () => {
  const profile = { ...ROUTER, udpShare: 1, pageEveryMs: Number.POSITIVE_INFINITY };

  test('an entry stays for a minute after its last datagram, with counters that stand still', () => {
    const core = new SimulatedCore({ seed: 3, profile });
    const moved = movements(core, { steps: 600, stepMs: 1000 });
    const ended = all(core).filter(
      ({ id, fields, closedAt, counted }) =>
        fields.network === 'udp' && counted && closedAt !== null && moved.has(id),
    );
    expect(ended.length).toBeGreaterThan(100);
    for (const { id, closedAt, download, upload, listedDownload, listedUpload } of ended) {
      // Looked at once a second: the last movement was seen up to a second late.
      expect(closedAt! - moved.get(id)!.at(-1)!.at).toBeGreaterThan(58_000);
      expect([listedDownload, listedUpload]).toEqual([download, upload]);
    }
  });

  test('one entry may serve several hosts, and shows the first', () => {
    const core = simulate(profile, 5 * 60_000, 3);
    const shared = all(core).filter(({ destinations }) => new Set(destinations).size > 1);
    expect(shared.length).toBeGreaterThan(10);
    for (const { destinations, host } of shared) expect(destinations[0]).toBe(host);
  });
});

describe('behaviour 11: connections that live long', () => {
  let core: SimulatedCore;
  let moved: Map<string, Movement[]>;
  beforeAll(() => {
    core = new SimulatedCore({
      seed: 8,
      profile: { ...ROUTER, arrivals: 1, longShare: 0.2, speedTestEveryMs: HOUR },
    });
    moved = movements(core, { steps: 5 * 60, stepMs: 60_000 });
  });
  const old = () =>
    all(core).filter(({ openedAt, closedAt }) => closedAt === null && core.now - openedAt > HOUR);

  test('idle for hours: no byte at all', () => {
    expect(old().filter(({ download, upload }) => download + upload === 0).length).toBeGreaterThan(0);
  });

  test('tiny keep-alives: a few bytes again and again', () => {
    const beats = old().filter(({ id, download }) => moved.get(id)!.length > 10 && download < 200_000);
    expect(beats.length).toBeGreaterThan(0);
  });

  test('flat for half an hour and longer, then a sudden burst', () => {
    const bursts = all(core).filter(({ id, openedAt }) =>
      (moved.get(id) ?? []).some(
        ({ at, download }, place, list) =>
          download > 1_000_000 &&
          at - openedAt > HOUR / 2 &&
          list.slice(0, place).every((before) => before.download === 0 || at - before.at < 60_001),
      ),
    );
    expect(bursts.length).toBeGreaterThan(0);
  });

  test('half-closed: listed long after the last byte', () => {
    const silent = all(core).filter(({ id, openedAt, closedAt, fields, download }) => {
      const last = moved.get(id)?.at(-1);
      if (last === undefined || closedAt === null || fields.network !== 'tcp' || download === 0) return false;
      return closedAt - openedAt > HOUR / 6 && last.at - openedAt < (closedAt - openedAt) / 3;
    });
    expect(silent.length).toBeGreaterThan(0);
  });

  test('a speed test: 1 Gbit/s for ten seconds', () => {
    expect(all(core).filter(({ download }) => download === 1_250_000_000).length).toBeGreaterThan(0);
  });
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
