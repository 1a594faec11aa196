import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGzip, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Component, startAll, stopAll } from '../../common/component.ts';
import { silentLogger } from '../../common/logger.ts';
import { ExportService } from '../export/export-service.ts';
import { IngestThread } from '../ingest/ingest-thread.ts';
import { CatalogueService } from '../query/catalogue-service.ts';
import { ConnectionBytes } from '../query/connection-bytes.ts';
import { FilterReader } from '../query/filter-reader.ts';
import { StatsService } from '../query/stats-service.ts';
import { TrafficService } from '../query/traffic-service.ts';
import { RecordsReader } from '../records/records-reader.ts';
import { EmbeddedFactStore } from '../store/embedded/embedded-fact-store.ts';
import { LotFlusher } from '../store/flusher.ts';
import { TokenRegistry } from '../tokens/token-registry.ts';
import { BEARER, OPTIONS } from './http.test-support.ts';
import { HttpServer } from './server.ts';

/** All parts of a master as they are, without a command line around them. */
let directory: string;
let components: Component[];
let base: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'master-'));
  const path = join(directory, 'master.db');
  const logger = silentLogger();
  const facts = new EmbeddedFactStore({ path: join(directory, 'master.facts.duckdb'), threads: 1 });
  const ingest = new IngestThread({ path, reserveLocal: false, onHurry: () => {}, logger });
  const tokens = new TokenRegistry({ writer: ingest, logger });
  const flusher = new LotFlusher({ source: ingest, facts, log: logger, queryIntervalMs: 0 });
  const records = new RecordsReader({ path });
  const asked = { facts, freshness: flusher, gaps: records };
  const traffic = new TrafficService({ ...asked, records });
  const http = new HttpServer(
    {
      ingest,
      records,
      traffic,
      exports: new ExportService({ ...asked, records, traffic }),
      stats: new StatsService(asked),
      catalogue: new CatalogueService(asked),
      bytes: new ConnectionBytes(asked),
      filters: new FilterReader({ ...asked, records }),
      tokens,
      backups: { make: () => Promise.reject(new Error('no test makes a backup here')) },
      probes: [],
      logger,
    },
    OPTIONS,
  );
  components = [ingest, facts, flusher, records, http];
  await startAll(components);
  base = `http://127.0.0.1:${http.port}/api/v1`;
});
afterAll(async () => {
  expect(await stopAll(components, 10_000)).toEqual([]);
  rmSync(directory, { recursive: true, force: true });
});

const NOW = Date.now();
const START = new Date(NOW - 120_000).toISOString();
const UPDATED = new Date(NOW - 60_000).toISOString();
const record = (id: string, download: number, more: object = {}) => ({
  id,
  download,
  upload: 10,
  start: START,
  last_updated: UPDATED,
  network: 'tcp',
  conn_type: 'HTTP',
  host: 'www.example.com',
  destination_ip: '203.0.113.1',
  destination_port: '443',
  destination_geoip: '["us"]',
  process: 'curl',
  chains: '["Proxy","HK"]',
  rule: 'DomainSuffix',
  rule_payload: 'example.com',
  ...more,
});

async function get(path: string) {
  const answer = await fetch(`${base}${path}`, { headers: BEARER });
  return { status: answer.status, body: (await answer.json()) as { data: never; total_count: number } };
}

async function sync(body: string | Uint8Array, encoding?: string): Promise<Response> {
  return fetch(`${base}/sync`, {
    method: 'POST',
    headers: {
      ...BEARER,
      'content-type': 'application/json',
      ...(encoding && { 'content-encoding': encoding }),
    },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
}

describe('a master with its own stores', () => {
  it('answers what it was given, at once and in every shape', async () => {
    const connections = [
      record('c1', 100),
      record('c2', 50, { host: '', process: '', rule: 'Match', rule_payload: '', chains: '["DIRECT"]' }),
    ];
    const body = gzipSync(JSON.stringify({ agent_id: '路由器', connections, timestamp: UPDATED }));
    const answer = await sync(body, 'gzip');
    expect(await answer.json()).toEqual({
      status: 'success',
      data: { message: '数据同步成功', count: 2 },
      message: null,
    });
    const sums = { count: 2, download: 150, upload: 20, total: 170 };
    expect((await get('/stats?type=summary')).body.data).toEqual(sums);
    expect((await get('/stats?type=group&group_by=host&sort_by=total')).body.data).toMatchObject([
      { host: 'www.example.com', count: 1, download: 100 },
      { host: '203.0.113.1', count: 1, download: 50 },
    ]);
    expect((await get('/stats?type=group&group_by=rule&limit=1&sort_by=download')).body).toMatchObject({
      data: [{ rule: 'DomainSuffix (example.com)' }],
      meta: { other: { groups: 1, download: 50 } },
    });
    const series = await get(`/stats?type=timeseries&interval=hour&metric=total&from=${START}`);
    expect(series).toMatchObject({ status: 200 });
    const values = series.body.data as { value: number }[];
    expect(values.reduce((sum, point) => sum + point.value, 0)).toBe(170);
    expect((await get('/filter-options?filter_type=chains')).body.data).toEqual([
      { value: 'HK', label: 'HK', field: 'node', total: 110 },
      { value: 'DIRECT', label: 'DIRECT', field: 'node', total: 60 },
    ]);
    expect((await get('/agents')).body.data).toMatchObject([
      { agent_id: '路由器', connections_count: 2, total_traffic: 170, status: 'online', protocol: 1 },
    ]);
    expect((await get(`/agents/${encodeURIComponent('路由器')}/status`)).body.data).toMatchObject({
      networks: [{ network: 'tcp', count: 2, download: 150, upload: 20 }],
      rules: [
        { rule: 'DomainSuffix (example.com)', count: 1, download: 100, upload: 10 },
        { rule: 'Match', count: 1, download: 50, upload: 10 },
      ],
    });
    expect((await get('/verify?group=range')).body.data).toMatchObject([
      { agent_id: '路由器', core: null, attributed: { download: 150, upload: 20 }, state: 'not measured' },
    ]);
    expect((await get('/ready')).status).toBe(200);
  });

  it.each([
    'host=www.example.com',
    'host=203.0.113.1',
    'rule=DomainSuffix',
    'rule=DomainSuffix%20(example.com)',
    'destination=EXAMPLE',
    'destination=203.0',
    'site=example.com',
    'geoip=us',
    'country=us',
    'chains=DIRECT',
    'group=Proxy',
    'route=direct',
    'destination_port=443',
    'destination_port=',
    'network=TCP',
    'process=',
    'payload=',
    'agent_id=nobody',
    'chain=%5B%22DIRECT%22%5D',
  ])('lists under %s just the connections that it sums', async (filter) => {
    const { data } = (await get(`/stats?type=summary&${filter}`)).body as {
      data: { count: number; total: number };
    };
    const list = (await get(`/connections?${filter}`)).body;
    const rows = list.data as { download: number; upload: number }[];
    expect(list.total_count).toBe(data.count);
    expect(rows.reduce((sum, row) => sum + row.download + row.upload, 0)).toBe(data.total);
  });

  it.each([
    'host under example.com',
    'host is empty and node = DIRECT',
    'agent = 路由器 and process ~ CUR',
    'device is empty and not rule = Match',
    'route = proxied or destination_port = 1-1024',
    'country =~ "^U" and not (example or curl)',
    'destination_ip under 203.0.113.0/24',
  ])('lists by an expression just the connections that it sums: %s', async (filter) => {
    const text = `filter=${encodeURIComponent(filter)}`;
    const { data } = (await get(`/stats?type=summary&${text}`)).body as {
      data: { count: number; total: number };
    };
    const list = (await get(`/connections?${text}`)).body;
    const rows = list.data as { in_range: { download: number; upload: number; recovered: number } }[];
    expect(list.total_count).toBe(data.count);
    expect(rows.reduce((sum, { in_range }) => sum + in_range.download + in_range.upload, 0)).toBe(data.total);
  });

  it('shows what a connection moved in a range, and minute by minute', async () => {
    const id = 'one/../%2f ✓';
    const body = JSON.stringify({ agent_id: 'a b', connections: [record(id, 100)], timestamp: UPDATED });
    expect((await sync(body)).status).toBe(200);
    const minute = Math.floor((NOW - 60_000) / 60_000) * 60_000;
    const between = (from: number, to: number) =>
      `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
    const rowOf = async (range: string) => {
      const { body: answer } = await get(`/connections?agent_id=a%20b&${range}`);
      return { row: (answer.data as object[])[0], meta: (answer as { meta?: object }).meta };
    };
    const inside = between(minute, minute + 60_000);
    const { row, meta } = await rowOf(inside);
    expect(row).toMatchObject({
      id,
      download: 100,
      in_range: { download: 100, upload: 10, recovered: 0 },
      ...{ device: '', site: 'example.com', group: 'Proxy', node: 'HK', route: 'proxied', country: 'US' },
    });
    expect(meta).toMatchObject({ range: { from: minute, to: minute + 60_000 }, range_cut: null });
    const before = await rowOf(between(minute - 120_000, minute - 60_000));
    if (before.row !== undefined) expect(before.row).toMatchObject({ in_range: { download: 0 } });

    const path = `/connections/${encodeURIComponent('a b')}/${encodeURIComponent(id)}`;
    expect((await get(path)).body).toMatchObject({
      data: { id, agent_id: 'a b', minutes: [[minute, 100, 10, 0]], hops: ['Proxy', 'HK'] },
      meta: { range_cut: null },
    });
    for (const other of ['/connections/a%20b/none', '/connections/nobody/one', `${path}x`]) {
      expect(await get(other)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    expect(await get(`${path}?x=1`)).toMatchObject({ status: 400, body: { code: 'bad_request' } });
  });

  it('says all that is wrong with a filter, each at its place', async () => {
    const text = 'hots = x and agent = nobody or rate > 1MB/s';
    const filter = encodeURIComponent(text);
    const details = [
      { field: 'filter', at: [0, 4], problem: 'there is no field "hots"', hint: 'do you mean host?' },
      { field: 'filter', at: [21, 27], problem: 'agent is never "nobody"' },
      { field: 'filter', at: [31, 35], problem: 'rate is known of live connections only' },
    ];
    expect(await get(`/connections?filter=${filter}`)).toMatchObject({
      status: 400,
      body: { code: 'filter_invalid', details },
    });
    // With other mistakes it is one of them.
    expect(await get(`/connections?filter=${filter}&limit=0&state=ajar&counted=maybe`)).toMatchObject({
      status: 400,
      body: {
        code: 'bad_request',
        details: [{ field: 'state' }, { field: 'counted' }, { field: 'limit' }, ...details],
      },
    });
  });

  it('refuses a bomb of a gigabyte quickly, and lives', async () => {
    const gzip = createGzip({ level: 9 });
    const parts: Buffer[] = [];
    gzip.on('data', (part: Buffer) => parts.push(part));
    const zeros = Buffer.alloc(16 * 1024 * 1024);
    for (let i = 0; i < 64; i++) {
      if (!gzip.write(zeros)) await new Promise((resolve) => gzip.once('drain', resolve));
    }
    await new Promise<void>((resolve) => {
      gzip.once('end', resolve);
      gzip.end();
    });
    const began = performance.now();
    const before = process.memoryUsage().rss;
    const answer = await sync(Buffer.concat(parts), 'gzip');
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ status: 'error', code: 'body_too_large' });
    expect(performance.now() - began).toBeLessThan(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
    expect((await get('/stats?type=summary')).status).toBe(200);
  });

  it.each([
    ['no JSON', '{', 400],
    ['nested without end', '['.repeat(2_000_000), 400],
    ['another shape', '{"agent_id":5}', 400],
    ['a string', '"x"', 400],
  ])('refuses a body that is %s', async (_name, body, status) => {
    const answer = await sync(body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ status: 'error', data: null });
  });
});
