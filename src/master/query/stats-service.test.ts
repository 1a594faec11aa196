import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedFactStore } from '../store/embedded/embedded-fact-store.ts';
import { fact, lotOf, unattributed } from '../store/facts.test-support.ts';
import type { Fact } from '../store/store.ts';
import { CatalogueService } from './catalogue-service.ts';
import { readFilter } from './filter-text.ts';
import { commonGaps, type GapSource, type Span } from './gap-state.ts';
import { StatsService } from './stats-service.ts';

const NOON = Date.UTC(2026, 6, 1, 12) / 60_000;
const ms = (minute: number) => minute * 60_000;

/** A connection's dimensions never change: both of its facts have the same. */
const WEB = {
  host: 'www.Example.com',
  destination_ip: '93.184.216.34',
  destination_port: '443',
  network: 'tcp',
  rule: 'DomainSuffix',
  rule_payload: 'example.com',
  chains: '["Proxy","hk-1"]',
  destination_geoip: '["us","cloudflare"]',
  process: 'curl',
};

const FACTS: Fact[] = [
  fact({ conn: 1, bucket: NOON, download: 100, upload: 10, fields: WEB }),
  fact({ conn: 1, bucket: NOON + 90, prev: NOON, download: 1, fields: WEB }),
  fact({
    conn: 2,
    bucket: NOON + 1,
    download: 50,
    agent: 'office',
    fields: { destination_ip: '10.0.0.1', network: 'udp', rule: 'Match' },
  }),
  fact({ conn: 3, kind: 1, bucket: NOON, download: 1_000_000, agent: 'home', fields: { network: 'tcp' } }),
  unattributed('home', NOON, 7, 3),
  unattributed('office', NOON, -2),
];

let directory: string;
let facts: EmbeddedFactStore;
let stats: StatsService;
let catalogue: CatalogueService;
let gaps: Record<string, Span[]> = {};
let flushes = 0;
const freshness = {
  flushNow: async () => {
    flushes++;
  },
  state: { freshTo: 1234 },
};
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stats-'));
  facts = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 2 });
  await facts.start();
  await facts.append(lotOf(1, FACTS), [FACTS]);
  const source: GapSource = {
    commonGaps: async (_from, _to, agents) =>
      commonGaps((agents ?? ['home', 'office']).map((agent) => gaps[agent] ?? [])),
  };
  const dependencies = { facts, freshness, gaps: source, now: () => ms(NOON + 120) };
  stats = new StatsService(dependencies);
  catalogue = new CatalogueService(dependencies);
});
afterAll(async () => {
  await facts.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('a summary', () => {
  it('covers all that is kept, up to now', async () => {
    const before = flushes;
    const { data, meta } = await stats.summary({});
    expect(data).toEqual({ count: 2, download: 151, upload: 10, total: 161 });
    expect(meta).toEqual({
      tier: 'half_hour',
      range: { from: ms(NOON), to: ms(NOON + 120) },
      aligned: true,
      fresh_to: 1234,
      range_cut: null,
      unattributed: { download: 5, upload: 3, applies: true },
      other: null,
      cut: false,
      elapsed_ms: expect.any(Number),
    });
    expect(flushes).toBe(before + 1);
  });

  it('counts a connection wherever it has bytes, once', async () => {
    const late = await stats.summary({ from: ms(NOON + 60), to: ms(NOON + 120) });
    expect(late.data).toEqual({ count: 1, download: 1, upload: 0, total: 1 });
    const none = await stats.summary({ from: ms(NOON + 2), to: ms(NOON + 90) });
    expect(none.data).toEqual({ count: 0, download: 0, upload: 0, total: 0 });
  });

  it('moves bounds inside a minute outwards, and says so', async () => {
    const { data, meta } = await stats.summary({ from: ms(NOON) + 1, to: ms(NOON) + 2 });
    expect(data.download).toBe(100);
    expect(meta).toMatchObject({ aligned: false, range: { from: ms(NOON), to: ms(NOON + 1) } });
  });

  it('is of nothing when the range is', async () => {
    const { data } = await stats.summary({ from: ms(NOON + 10), to: ms(NOON) });
    expect(data.count).toBe(0);
  });
});

describe('filters', () => {
  it.each([
    [{ agent_id: 'home' }, 101],
    [{ agent: ['home', 'office'] }, 151],
    [{ rule: 'DomainSuffix' }, 101],
    [{ rule: 'DomainSuffix (example.com)' }, 101],
    [{ rule: 'domainsuffix' }, 0],
    [{ destination: '184.216' }, 101],
    [{ destination: 'EXAMPLE' }, 101],
    [{ destination: '' }, 0],
    [{ geoip: 'us' }, 101],
    [{ geoip: 'CLOUDFLARE' }, 0],
    [{ host: 'www.Example.com' }, 101],
    [{ host: 'www.example.com' }, 0],
    [{ host: '10.0.0.1' }, 50],
    [{ host: '93.184.216.34' }, 0],
    [{ chains: 'hk-1' }, 101],
    [{ route: 'proxied' }, 101],
    [{ site: 'example.com' }, 101],
    [{ destination_port: '443' }, 101],
    [{ destination_port: '' }, 50],
    [{ process: 'curl', network: 'tcp' }, 101],
    [{ process: 'curl', network: 'udp' }, 0],
    [{ network: [] }, 151],
    [{ host: "'; DROP TABLE minute; --" }, 0],
  ])('%j', async (filters, download) => {
    expect((await stats.summary({ filters })).data.download).toBe(download);
  });

  it('say whether unattributed bytes are of what they ask for', async () => {
    const ofAgent = await stats.summary({ filters: { agent_id: 'office' } });
    expect(ofAgent.meta.unattributed).toEqual({ download: -2, upload: 0, applies: true });
    const narrower = await stats.summary({ filters: { agent_id: 'home', network: 'tcp' } });
    expect(narrower.meta.unattributed).toEqual({ download: 7, upload: 3, applies: false });
  });

  it('report a port that is none', async () => {
    await expect(stats.summary({ filters: { destination_port: 'https' } })).rejects.toMatchObject({
      code: 'bad_request',
      details: [{ field: 'destination_port' }],
    });
  });
});

describe('a filter that tells facts of one connection apart', () => {
  // NOON is a Wednesday; only connection 1 has a fact in the hour after, and began before it.
  const filter = readFilter('hour_of_week = 61', { of: 'facts' }).filter;

  it('leaves connections uncounted in a summary, bytes not', async () => {
    expect((await stats.summary({ filter })).data).toEqual({ count: null, download: 1, upload: 0, total: 1 });
    const recovered = readFilter('not recovered = true', { of: 'facts' }).filter;
    expect((await stats.summary({ filter: recovered })).data).toMatchObject({ count: null, download: 151 });
  });

  it('leaves them uncounted in groups, and in what a limit cut off', async () => {
    const both = readFilter('hour_of_week in (60, 61)', { of: 'facts' }).filter;
    const { data, meta } = await stats.group({ groupBy: 'process', filter: both, limit: 1 });
    expect(data).toEqual([
      { process: 'curl', label: 'curl', count: null, download: 101, upload: 10, total: 111 },
    ]);
    expect(meta.other).toEqual({ groups: 1, count: null, download: 50, upload: 0, total: 50 });
  });

  it('leaves points of connections without a value, and no others', async () => {
    const values = async (metric: 'connections' | 'opened' | 'total') =>
      (await stats.timeseries({ interval: 'hour', metric, filter })).data.map(({ value }) => value);
    expect(await values('connections')).toEqual([null, null]);
    expect(await values('opened')).toEqual([0, 0]);
    expect(await values('total')).toEqual([0, 1]);
  });
});

describe('groups', () => {
  it('keep the empty key, with a label to show', async () => {
    const { data } = await stats.group({ groupBy: 'geoip' });
    expect(data).toEqual([
      { destination_geoip: 'US', label: 'US', count: 1, download: 101, upload: 10, total: 111 },
      { destination_geoip: '', label: '(no country)', count: 1, download: 50, upload: 0, total: 50 },
    ]);
  });

  it('are named by the original’s keys', async () => {
    const keys = async (groupBy: 'rule' | 'destination' | 'chains' | 'host' | 'agent_id') =>
      (await stats.group({ groupBy })).data.map((row) => Object.entries(row)[0]);
    expect(await keys('rule')).toEqual([
      ['rule', 'DomainSuffix (example.com)'],
      ['rule', 'Match'],
    ]);
    expect((await keys('destination'))[0]).toEqual(['destination_ip', '93.184.216.34']);
    expect((await keys('chains'))[0]).toEqual(['node', 'hk-1']);
    expect(await keys('host')).toEqual([
      ['host', 'www.Example.com'],
      ['host', '10.0.0.1'],
    ]);
    expect((await keys('agent_id'))[0]).toEqual(['agent_id', 'home']);
  });
});

describe('a series', () => {
  it('has every point of the range, empty ones too', async () => {
    const { data } = await stats.timeseries({ interval: 'hour', metric: 'download', from: ms(NOON - 60) });
    expect(data).toEqual([
      { time: '2026-07-01T11:00:00Z', value: 0 },
      { time: '2026-07-01T12:00:00Z', value: 150 },
      { time: '2026-07-01T13:00:00Z', value: 1 },
    ]);
  });

  it('counts active connections at each point, opened ones once', async () => {
    const values = async (metric: 'connections' | 'opened') =>
      (await stats.timeseries({ interval: 'hour', metric })).data.map((row) => row.value);
    expect(await values('connections')).toEqual([2, 1]);
    expect(await values('opened')).toEqual([2, 0]);
  });

  it('follows the days of a zone', async () => {
    const { data } = await stats.timeseries({ interval: 'day', metric: 'total', tz: 'Asia/Kathmandu' });
    expect(data).toEqual([{ time: '2026-07-01T00:00:00+05:45', value: 161 }]);
  });

  it('marks points in which every agent asked for was in a gap', async () => {
    gaps = {
      home: [{ from: ms(NOON + 30), to: ms(NOON + 90) }],
      office: [{ from: ms(NOON + 60), to: ms(NOON + 90) }],
    };
    const states = async (filters = {}) =>
      (await stats.timeseries({ interval: '30m', metric: 'download', filters })).data.map((row) => row.state);
    expect(await states()).toEqual([undefined, undefined, 'gap', undefined]);
    expect(await states({ agent_id: 'home' })).toEqual([undefined, 'gap', 'gap', undefined]);
    gaps = {};
  });

  it('refuses too many points, and names the interval that fits', async () => {
    const year = { from: ms(NOON - 365 * 1440), to: ms(NOON) };
    await expect(stats.timeseries({ ...year, interval: 'minute' })).rejects.toMatchObject({
      code: 'query_too_large',
      message: expect.stringContaining('15m'),
    });
  });

  it('says that there must be less time where months are too many points, too', async () => {
    const all = { from: Date.parse('0001-01-01T00:00:00Z'), to: Date.parse('9999-01-01T00:00:00Z') };
    await expect(stats.timeseries({ ...all, interval: 'month' })).rejects.toMatchObject({
      code: 'query_too_large',
      details: [{ field: 'from' }],
    });
  });

  it('refuses what is no interval or zone, both at once', async () => {
    await expect(stats.timeseries({ interval: '7h', tz: 'Mars/Olympus' })).rejects.toMatchObject({
      code: 'bad_request',
      details: [{ field: 'interval' }, { field: 'tz' }],
    });
  });
});

describe('the catalogue', () => {
  it('suggests values by bytes', async () => {
    expect(await catalogue.filterOptions({ of: 'network' })).toEqual([
      { value: 'tcp', label: 'tcp', field: 'network', total: 111 },
      { value: 'udp', label: 'udp', field: 'network', total: 50 },
    ]);
    expect(await catalogue.filterOptions({ of: 'rule', query: 'SUFFIX' })).toEqual([
      { value: 'DomainSuffix', label: 'DomainSuffix', field: 'rule', total: 111 },
      {
        value: 'DomainSuffix (example.com)',
        label: 'DomainSuffix (example.com)',
        field: 'rule_payload',
        total: 111,
      },
    ]);
    const places = await catalogue.filterOptions({ of: 'destination' });
    expect(places.map(({ value, field }) => [value, field])).toEqual([
      ['93.184.216.34', 'destination_ip'],
      ['www.Example.com', 'host'],
      ['10.0.0.1', 'destination_ip'],
    ]);
    expect(await catalogue.filterOptions({ of: 'geoip', limit: 1 })).toMatchObject([
      { field: 'destination_geoip' },
    ]);
  });

  it('sums up agents', async () => {
    expect(await catalogue.perAgent()).toEqual([
      { agent: 'home', count: 1, download: 101, upload: 10, total: 111 },
      { agent: 'office', count: 1, download: 50, upload: 0, total: 50 },
    ]);
    expect(await catalogue.agentDetail('office')).toEqual({
      networks: [{ network: 'udp', count: 1, download: 50, upload: 0 }],
      rules: [{ rule: 'Match', count: 1, download: 50, upload: 0 }],
    });
  });

  it('gives the facts’ side of the books by day', async () => {
    const range = { from: ms(NOON - 1440), to: ms(NOON + 1440), tz: 'Europe/Berlin' };
    const day = Date.parse('2026-06-30T22:00Z');
    expect(await catalogue.dailySums({ ...range, agent: 'office' })).toEqual([
      {
        agent: 'office',
        day,
        attributed: { download: 50, upload: 0 },
        recovered: { download: 0, upload: 0 },
        unattributed: { download: -2, upload: 0 },
      },
    ]);
  });
});

it('cuts a sum that a number cannot hold, says so, and gives the others exactly', async () => {
  const huge = [
    fact({ conn: 10, bucket: NOON + 5000, download: 2 ** 53 - 1 }),
    fact({ conn: 11, bucket: NOON + 5000, download: 5 }),
  ];
  await facts.append(lotOf(2, huge), [huge]);
  const whole = await stats.summary({});
  expect(whole).toMatchObject({
    data: { download: Number.MAX_SAFE_INTEGER },
    meta: { cut: true },
  });
  const before = await stats.summary({ to: ms(NOON + 120) });
  expect(before).toMatchObject({ data: { download: 151 }, meta: { cut: false } });
  await facts.cutAbove(1);
});

it('reaches to the newest fact where an agent’s clock is ahead', async () => {
  const ahead = [fact({ conn: 12, bucket: NOON + 125, download: 3 })];
  await facts.append(lotOf(3, ahead), [ahead]);
  expect((await stats.summary({})).data.download).toBe(154);
  await facts.cutAbove(1);
});
