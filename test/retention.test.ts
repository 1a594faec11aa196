import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../src/common/logger.ts';
import { BEARER, testApp } from '../src/master/http/http.test-support.ts';
import { Merger } from '../src/master/ingest/merger.ts';
import type { PrunePart } from '../src/master/ingest/record-retention.ts';
import type { TotalsPart } from '../src/master/ingest/totals-retention.ts';
import { CatalogueService } from '../src/master/query/catalogue-service.ts';
import { RecordsReader } from '../src/master/records/records-reader.ts';
import { EmbeddedFactStore } from '../src/master/store/embedded/embedded-fact-store.ts';
import { LotFlusher } from '../src/master/store/flusher.ts';
import { Maintenance, type TotalsBorders } from '../src/master/store/maintenance.ts';
import type { SyncRequest } from '../src/protocol/v2.ts';
import { Source } from './faults/facts.ts';
import { connectionRow, unique, v2Body } from './support/bodies.ts';
import { TestDirectory } from './support/directory.ts';

/*
 * Thirty days of a master, with a clock of its own: minutes kept for 7 days, half hours for 15, records for 10. Both stores
 * are real files, and every part that looks after them does so once a day.
 */

const DAY = 1440;
const DAYS = 30;
const MINUTE_DAYS = 7;
const HALF_HOUR_DAYS = 15;
const BEGIN = Date.UTC(2026, 0, 1) / 60_000;
const RECORD_DAYS = 10;
const ZONES = ['UTC', 'Asia/Kathmandu', 'Europe/Berlin'];

const directory = new TestDirectory();
let minute = BEGIN;
const now = () => minute * 60_000;
let merger: Merger;
let store: EmbeddedFactStore;
let flusher: LotFlusher;
let maintenance: Maintenance;
let records: RecordsReader;
let head: string | null = null;
let total = 0;

beforeAll(async () => {
  const path = directory.file('master.db');
  merger = new Merger({ path, now, reserveLocal: false });
  store = new EmbeddedFactStore({ path: directory.file('f.duckdb'), threads: 1, now });
  await store.start();
  flusher = new LotFlusher({
    source: new Source({ alive: true, merger }, now, () => false),
    facts: store,
    log: silentLogger(),
    intervalMs: 2 ** 30,
    now,
  });
  await flusher.start();
  maintenance = new Maintenance({
    facts: store,
    retention: { days: { minute: MINUTE_DAYS, half_hour: HALF_HOUR_DAYS }, budget: null },
    totals: { keepTotals },
    log: silentLogger(),
    now,
  });
  records = new RecordsReader({ path });
  records.start();
});
afterAll(async () => {
  await records.stop();
  await maintenance.stop();
  await flusher.stop();
  await store.stop();
  merger.close();
  directory.remove();
});

async function keepTotals(borders: TotalsBorders): Promise<void> {
  let part: TotalsPart | null = null;
  do part = merger.totals.step(borders, part);
  while (part !== null);
}

/** What happened at some minutes of a day, of which one is told ten days late. */
function deliver(day: number): void {
  const minutes = [3, 17, 40, 401, 755, 1118, 1439].map((at) => BEGIN + day * DAY + at);
  const late = day >= 10 ? [BEGIN + (day - 10) * DAY + 700] : [];
  const all = [...late, ...minutes];
  const request = v2Body('home', {
    stream: 'stream-1',
    boot: 'boot-0001',
    batch: unique('batch'),
    prev: head,
    sent_at: now(),
    core: { version: 'v1', state: 'connected', last_snapshot: now() },
    strings: ['', ...all.map((at) => `c-${day}-${at}`)],
    connections: all.map((_, index) => connectionRow(index + 1, 0)),
    samples: all.map((at, index) => [index + 1, at, 1000 + index, 7, 0, 0, 0]),
    totals: all.map((at) => {
      total += 1500;
      return [at, total, total];
    }),
    closed: all.map((_, index) => [index + 1, now()]),
  }) as SyncRequest;
  expect(merger.v2(request, null, false).ok).toBe(true);
  head = request.batch;
}

function prune(): void {
  let part: PrunePart | null = merger.beginPruning(RECORD_DAYS * DAY * 60_000);
  while (part !== null) part = merger.pruneSome(part).next;
}

interface Row {
  from: string;
  state: string;
  difference: { download: number; upload: number };
}

async function verify(from: number, zone: string, group = 'day') {
  const catalogue = new CatalogueService({
    facts: store,
    freshness: { flushNow: async () => undefined, state: { freshTo: 0 } },
    now,
  });
  const app = testApp({}, { records, catalogue, now });
  const query = new URLSearchParams({ from: new Date(from * 60_000).toISOString(), tz: zone, group });
  const answer = await app.inject({ url: `/api/v1/verify?${query}`, headers: BEARER });
  expect(answer.statusCode).toBe(200);
  return answer.json() as { data: Row[]; meta: { range_cut: { from: number } | null; missing: object[] } };
}

it('the books balance on every day that is kept, in every zone, over the borders of both tiers', async () => {
  for (let day = 0; day < DAYS; day++) {
    minute = BEGIN + (day + 1) * DAY;
    deliver(day);
    merger.seal();
    expect(await flusher.drain()).toBe(true);
    merger.lots.backedUp({ lot: 1e9, at: now() });
    while (merger.lots.forgetSome(now()).more);
    await maintenance.run();
    expect(maintenance.state.error).toBeNull();
    prune();
    // Each day once in a while, and each at the end.
    if (day % 13 !== 12 && day !== DAYS - 1) continue;
    for (const zone of ZONES) {
      const { data, meta } = await verify(BEGIN, zone);
      expect(meta.missing).toEqual([]);
      const judged = data.filter(({ state }) => state !== 'open');
      expect(judged.length).toBeGreaterThan(Math.min(day, HALF_HOUR_DAYS) - 2);
      for (const row of judged) expect(row, zone).toMatchObject({ state: 'balanced' });
    }
    expect((await verify(BEGIN, 'UTC', 'range')).data).toMatchObject([
      { difference: { download: 0, upload: 0 } },
    ]);
  }
  const { data, meta } = await verify(BEGIN, 'UTC');
  // Whole days went, of what was in the half hours for a week.
  const kept = BEGIN + (DAYS - HALF_HOUR_DAYS) * DAY;
  expect(meta.range_cut).toEqual({ from: kept * 60_000 });
  expect(data[0]?.from).toBe(new Date(kept * 60_000).toISOString());

  const count = (sql: string) => merger.db.prepare(`SELECT count(*) FROM ${sql}`).pluck().get();
  expect(count(`core_totals WHERE minute < ${kept}`)).toBe(0);
  const minutesFrom = BEGIN + (DAYS - MINUTE_DAYS) * DAY;
  expect(count(`core_totals WHERE minute < ${minutesFrom} AND minute % 30 <> 0`)).toBe(0);
  expect(count(`core_totals WHERE minute >= ${minutesFrom} AND minute % 30 <> 0`)).toBeGreaterThan(0);
  // Of each day eight records, of the first ten seven; those that came just so long ago are still there.
  const left = 8 * (RECORD_DAYS + 1);
  expect(count('connections')).toBe(left);
  expect(merger.retention.sums().records).toBe(8 * DAYS - 10 - left);
}, 120_000);
