import { describe, expect, test } from 'vitest';
import { all, expectConserved } from './core.test-support.ts';
import { SimulatedCore } from './core.ts';
import type { Dialect } from './dialect.ts';
import { history } from './history.ts';
import { DEVICES } from './household.ts';
import { DESKTOP, HOUSEHOLD, steadyLoad } from './profiles.ts';

const HOUR = 3_600_000;

describe('load', () => {
  test('a steady load has exactly that many connections, all changing in every snapshot', () => {
    const core = new SimulatedCore({
      profile: {
        ...steadyLoad(1000),
        steadyLifetimeMs: 20_000,
        arrivals: 50,
        invisibleShare: 1,
        lateShare: 0.05,
      },
    });
    let before = new Map<string, number>();
    for (let i = 0; i < 30; i++) {
      core.advance(250);
      const { connections } = core.snapshot();
      expect(connections!.length).toBe(1000);
      for (const record of connections!) expect(record.download).not.toBe(before.get(record.id));
      before = new Map(connections!.map((record) => [record.id, record.download]));
    }
    core.closeAll();
    expect(core.size).toBe(0);
    core.advance(1500);
    expect(core.size).toBe(1000);
    expectConserved(core);
  });

  test.each<Dialect>(['old', 'fork', 'sing-box', 'clash-rs'])('%s lives through an hour', (dialect) => {
    const core = new SimulatedCore({ dialect, profile: DESKTOP });
    core.advance(HOUR);
    expect(JSON.parse(core.frame())).toEqual(core.snapshot());
    expectConserved(core);
  });
});

describe('history', () => {
  test('days of a household end at the given time, with quiet nights and busy evenings', () => {
    const to = Date.UTC(2026, 7, 3, 12);
    const hours = new Map<number, number>();
    let before = 0;
    let last: SimulatedCore | undefined;
    for (const { at, core } of history({ seed: 1, to, days: 3, stepMs: 60_000, forgetClosed: false })) {
      const total = core.totals.downloadTotal;
      const hour = new Date(at).getUTCHours();
      hours.set(hour, (hours.get(hour) ?? 0) + total - before);
      before = total;
      last = core;
    }
    const sum = (from: number) => [0, 1, 2].reduce((bytes, hour) => bytes + hours.get(from + hour)!, 0);
    expect(sum(19)).toBeGreaterThan(3 * sum(2));
    expect(last!.now).toBe(to);
    const addresses = new Set(all(last!).map((connection) => connection.fields.sourceIP));
    for (const device of DEVICES) expect(addresses).toContain(device.address);
    expect(HOUSEHOLD.hourly).toHaveLength(24);
    expectConserved(last!);
  });
});
