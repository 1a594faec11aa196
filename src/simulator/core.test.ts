import { describe, expect, test } from 'vitest';
import { SimulatedCore } from './core.ts';
import type { Dialect } from './dialect.ts';

const HOUR = 3_600_000;

function records(core: SimulatedCore) {
  const { connections } = core.snapshot();
  return new Map((connections ?? []).map((record) => [record.id, record]));
}

describe('behaviour 5: messages', () => {
  test('an empty table is null, and the text ends in a newline', () => {
    const core = new SimulatedCore();
    expect(core.frame()).toBe('{"downloadTotal":0,"uploadTotal":0,"connections":null,"memory":0}\n');
  });

  test('memory is what the core last noticed: 0, or stale', () => {
    const core = new SimulatedCore();
    core.memory = 49_000_000;
    core.advance(60_000);
    expect(core.snapshot().memory).toBe(49_000_000);
  });

  test('keys come in the order of the core, all of them, escaped as Go does', () => {
    const core = new SimulatedCore({ seed: 3 });
    const id = core.open(
      {
        host: 'a.test',
        chains: ['🇭🇰 <A&B> \u2028', '节点选择'],
        providerChains: ['p', ''],
        start: '2026-07-02T09:14:03Z',
        rule: 'AND',
        rulePayload: '((Network,udp) && (DstPort,443))',
        destinationGeoIP: ['cn', 'private'],
      },
      { download: 5, upload: 7 },
    );
    expect(core.frame()).toBe(
      `{"downloadTotal":5,"uploadTotal":7,"connections":[{"id":"${id}","metadata":{"network":"tcp","type":"HTTPS","sourceIP":"127.0.0.1","destinationIP":"","sourceGeoIP":null,"destinationGeoIP":["cn","private"],"sourceIPASN":"","destinationIPASN":"","sourcePort":"50000","destinationPort":"443","inboundIP":"127.0.0.1","inboundPort":"7890","inboundName":"DEFAULT-MIXED","inboundUser":"","rematchName":"","host":"a.test","dnsMode":"normal","uid":0,"process":"","processPath":"","specialProxy":"","specialRules":"","remoteDestination":"","dscp":0,"sniffHost":""},"upload":7,"download":5,"start":"2026-07-02T09:14:03Z","chains":["🇭🇰 \\u003cA\\u0026B\\u003e \\u2028","节点选择"],"providerChains":["p",""],"rule":"AND","rulePayload":"((Network,udp) \\u0026\\u0026 (DstPort,443))"}],"memory":0}\n`,
    );
  });

  test.each<Dialect>(['mihomo', 'old', 'fork', 'sing-box', 'clash-rs'])(
    'dialect %s: the text is the snapshot, key by key',
    (dialect) => {
      const core = new SimulatedCore({ dialect });
      expect(JSON.parse(core.frame())).toEqual(core.snapshot());
      for (let i = 0; i < 3; i++)
        core.move(core.open({ host: `h${i}.test`, destinationIPASN: '13335 X' }), 10 + i, 20);
      expect(JSON.stringify(JSON.parse(core.frame()))).toBe(JSON.stringify(core.snapshot()));
    },
  );

  test('dialects differ where the cores do', () => {
    const shown = (dialect: Dialect) => {
      const core = new SimulatedCore({ dialect, zoneOffsetMinutes: 480 });
      const empty = core.snapshot().connections;
      core.open({ destinationIP: '1.2.3.4', destinationIPASN: '13335 CLOUDFLARENET' });
      return { empty, record: core.snapshot().connections![0]! };
    };
    expect(shown('old').record).not.toHaveProperty('providerChains');
    expect(shown('old').record.metadata).not.toHaveProperty('rematchName');
    expect(shown('fork').record.metadata).toHaveProperty('id');
    expect(shown('sing-box').empty).toEqual([]);
    expect(shown('sing-box').record).toMatchObject({ rule: 'final', metadata: { type: 'mixed/mixed-in' } });
    expect(shown('clash-rs').record).toMatchObject({
      metadata: { network: 'Tcp', destinationPort: 443, destinationIP: '1.2.3.4(13335 CLOUDFLARENET)' },
    });
    expect(String(shown('clash-rs').record.start)).toMatch(/Z$/);
  });
});

test('behaviour 6: order is arbitrary, mostly stable, and another after the table grew', () => {
  const core = new SimulatedCore({ seed: 6 });
  const opened = Array.from({ length: 30 }, () => core.open());
  const before = core.ids();
  expect(before).not.toEqual(opened);
  expect([...before].sort()).toEqual([...opened].sort());
  core.close(opened[0]!);
  const moved = core.ids().filter((id, place) => before[place] !== id);
  expect(moved.length).toBeLessThanOrEqual(1);
  const kept = core.ids();
  for (let i = 0; i < 10; i++) core.open();
  expect(core.ids().filter((id, place) => kept[place] === id).length).toBeLessThan(15);
});

test('behaviour 7: counters only grow, everything else is fixed, ids are version 4 and never come again', () => {
  const core = new SimulatedCore({ seed: 7 });
  const seen = new Set<string>();
  for (let i = 0; i < 2000; i++) {
    const id = core.open();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(seen.has(id)).toBe(false);
    seen.add(id);
    if (i % 2) core.close(id);
    if (i % 500 === 0) core.restart();
  }
  const id = core.open({ host: 'x.test' });
  const first = records(core).get(id)!;
  core.move(id, 10, 1);
  core.advance(1000);
  const second = records(core).get(id)!;
  expect(second).toEqual({ ...first, download: 10, upload: 1 });
});

describe('behaviour 8: totals', () => {
  test('hold counted traffic only: no hop of a dialer-proxy, no DNS over a proxy, but the core itself', () => {
    const core = new SimulatedCore();
    const user = core.open({ host: 'a.test', chains: ['exit', 'Chain'] });
    const hop = core.open({ type: 'Inner', chains: ['entry'], rule: '' }, { mirrors: user });
    const dns = core.open({ type: 'Inner', network: 'udp', destinationPort: '53' });
    const own = core.open({ type: 'Inner', process: 'mihomo', host: 'sub.test' });
    core.move(user, 6400, 640);
    core.move(dns, 5, 5);
    core.move(own, 70, 7);
    expect(core.totals).toMatchObject({ downloadTotal: 6470, uploadTotal: 647 });
    expect(records(core).get(hop)).toMatchObject({ download: 6500, upload: 650 });
    const { truth } = core;
    expect(truth.counted()).toEqual({ download: 6470, upload: 647 });
    expect(truth.connections.get(hop)!.counted).toBe(false);
    core.close(user);
    expect(core.ids()).not.toContain(hop);
  });

  test('the counters of one message may be a little ahead of its totals', () => {
    const core = new SimulatedCore();
    const id = core.open();
    core.moveWithinSnapshot(id, 100, 10);
    expect(core.snapshot()).toMatchObject({ downloadTotal: 0, connections: [{ download: 100, upload: 10 }] });
    expect(core.snapshot()).toMatchObject({ downloadTotal: 100, uploadTotal: 10 });
  });
});

test('behaviour 9: late bytes and unlisted connections are in the totals and in no record', () => {
  const core = new SimulatedCore();
  const id = core.open({ host: 'a.test' });
  core.move(id, 100, 10);
  core.frame();
  core.move(id, 1, 1);
  core.close(id, { lateDownload: 50, lateUpload: 5 });
  core.open({ host: 'b.test' }, { listed: false, download: 7, upload: 3 });
  core.moveUnlisted(1000, 100);
  expect(core.snapshot()).toEqual({ downloadTotal: 1158, uploadTotal: 119, connections: null, memory: 0 });
  const { truth } = core;
  expect(truth.connections.get(id)).toMatchObject({
    download: 151,
    upload: 16,
    listedDownload: 100,
    listedUpload: 10,
  });
  expect(Object.fromEntries(truth.byHost())).toEqual({
    'a.test': { download: 151, upload: 16 },
    'b.test': { download: 7, upload: 3 },
  });
  expect(truth.run).toMatchObject({ download: 1158, upload: 119, unlistedDownload: 1000 });
});

describe('behaviour 14: state', () => {
  test('a restart begins from zero with an empty table, and the truth keeps every run', () => {
    const core = new SimulatedCore();
    const id = core.open({}, { download: 10, upload: 1 });
    core.advance(1000);
    core.restart(500);
    expect(core.accepting).toBe(false);
    core.advance(500);
    expect(core.accepting).toBe(true);
    expect(core.snapshot()).toEqual({ downloadTotal: 0, uploadTotal: 0, connections: null, memory: 0 });
    core.open({}, { download: 3 });
    const { truth } = core;
    expect(truth.runs.map((run) => run.download)).toEqual([10, 3]);
    expect(truth.connections.get(id)!.closedAt).toBe(truth.runs[0]!.endedAt);
    expect(truth.counted(truth.runs[1])).toEqual({ download: 3, upload: 0 });
  });

  test('a statistics reset takes the totals only', () => {
    const core = new SimulatedCore();
    const id = core.open({}, { download: 10, upload: 1 });
    core.resetStatistics();
    core.move(id, 5, 0);
    expect(core.snapshot()).toMatchObject({
      downloadTotal: 5,
      uploadTotal: 0,
      connections: [{ download: 15 }],
    });
    expect(core.truth.run).toMatchObject({ download: 15, upload: 1, resets: [{ download: 10, upload: 1 }] });
  });
});

describe('behaviour 16: clocks', () => {
  const startOf = (core: SimulatedCore, id: string) => String(records(core).get(id)!.start);

  test('start is by the clock and zone of the core, and the zone may change between records', () => {
    const startAt = Date.UTC(2026, 9, 25, 0, 30);
    const core = new SimulatedCore({
      startAt,
      zoneOffsetMinutes: 120,
      skewMs: -5 * 60_000,
      fractionDigits: 0,
    });
    const summer = core.open();
    core.advance(HOUR);
    core.zoneOffsetMinutes = 60;
    const winter = core.open();
    expect(startOf(core, summer)).toBe('2026-10-25T02:25:00+02:00');
    expect(startOf(core, winter)).toBe('2026-10-25T02:25:00+01:00');
    expect(core.clock).toBe(core.now - 5 * 60_000);
  });

  test.each([0, 1, 6, 7, 9])('start has at most %i fraction digits, without trailing zeros', (digits) => {
    const core = new SimulatedCore({ fractionDigits: digits, startAt: Date.UTC(2026, 0, 1) + 123 });
    let longest = 0;
    for (let i = 0; i < 200; i++) {
      const start = startOf(core, core.open());
      const fraction = /\.(\d+)Z$/.exec(start)?.[1] ?? '';
      expect(fraction).not.toMatch(/0$/);
      expect(Number.isNaN(Date.parse(start))).toBe(false);
      longest = Math.max(longest, fraction.length);
    }
    expect(longest).toBe(digits);
  });
});

test('behaviour 17: a deleted connection is gone before the next message, an unknown one does no harm', () => {
  const core = new SimulatedCore();
  const id = core.open();
  expect(core.close(id)).toBe(true);
  expect(core.close(id)).toBe(false);
  expect(core.snapshot().connections).toBeNull();
  for (let i = 0; i < 5; i++) core.open();
  expect(core.closeAll()).toBe(5);
  expect(core.size).toBe(0);
});

test('behaviour 12: an update of a provider ends all connections through it', () => {
  const core = new SimulatedCore();
  core.open({ chains: ['n1', 'g'], providerChains: ['airport-a', ''] });
  core.open({ chains: ['n2', 'g'], providerChains: ['airport-a', ''] });
  const other = core.open({ chains: ['n1', 'g'], providerChains: ['airport-b', ''] });
  expect(core.closeProvider('airport-a')).toBe(2);
  expect(core.ids()).toEqual([other]);
});

test('a planned connection moves with time, however often somebody looks', () => {
  const run = (looks: number) => {
    const core = new SimulatedCore({ seed: 1 });
    const flow = { bytes: 1_000_003, delayMs: 10, overMs: 5000, steps: 7 };
    core.open(
      {},
      {
        plan: {
          download: { shape: 'front', ...flow },
          upload: { shape: 'steps', ...flow },
        },
      },
    );
    for (let i = 0; i < looks; i++) {
      core.advance(3000 / looks);
      core.frame();
    }
    return core.totals;
  };
  expect(run(1)).toEqual(run(100));
});
