import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Merger } from '../../src/master/ingest/merger.ts';
import { ALL } from '../../src/master/records/records.test-support.ts';
import { RecordsReader } from '../../src/master/records/records-reader.ts';
import { v1Body, v1Record } from '../support/bodies.ts';
import { checkBooks } from '../support/books.ts';
import { TestDirectory } from '../support/directory.ts';
import { type OriginalConnection, originalRow, writeOriginal } from '../support/original-database.ts';
import { waitFor } from '../support/wait.ts';
import { WholeMaster } from '../support/whole-master.ts';

let directory: TestDirectory;
let stops: (() => unknown)[];
beforeEach(() => {
  directory = new TestDirectory();
  stops = [];
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  directory.remove();
});

const NOW = Date.UTC(2026, 6, 2);
const MINUTE = (text: string) => Math.floor(Date.parse(text) / 60_000);

function open(rows: readonly OriginalConnection[] | null): Merger {
  const path = directory.file('master.db');
  if (rows !== null) writeOriginal(path, rows);
  const merger = new Merger({ path, now: () => NOW, reserveLocal: false });
  stops.push(() => merger.close());
  return merger;
}

function importAll(merger: Merger): void {
  while (merger.importChunk(100) > 0);
}

describe('the original’s database as --database', () => {
  it('shows all its rows at once, before any is imported', async () => {
    const rows = Array.from({ length: 250 }, (_, i) =>
      originalRow(`c${i}`, { last_updated: `2026-06-28T${String(i % 24).padStart(2, '0')}:30:00.5+08:00` }),
    );
    const merger = open(rows);
    expect(merger.importer.left()).toBe(250);
    const reader = new RecordsReader({ path: directory.file('master.db') });
    await reader.start();
    stops.push(() => reader.stop());
    const ask = () =>
      reader.connections({
        ...ALL,
        filters: { host: 'www.example.com' },
        from: Date.UTC(2026, 5, 28, 4),
        limit: 1000,
      });
    const before = await ask();
    importAll(merger);
    const after = await ask();
    expect(before.total).toBeGreaterThan(50);
    expect(after.total).toBe(before.total);
    expect(after.records.map(({ record: row }) => [row.id, row.last_updated, row.download])).toEqual(
      before.records.map(({ record: row }) => [row.id, row.last_updated, row.download]),
    );
  });

  it('goes on where it was interrupted, and says how much is left', () => {
    const merger = open(Array.from({ length: 250 }, (_, i) => originalRow(`c${i}`)));
    expect(merger.importChunk(100)).toBe(150);
    merger.close();
    const again = open(null);
    expect(again.importer.left()).toBe(150);
    expect(again.importChunk(100)).toBe(50);
    expect(again.importChunk(100)).toBe(0);
    expect(again.importChunk(100)).toBe(0);
    const records = checkBooks(again.db);
    expect([records.length, records.reduce((sum, row) => sum + row.down, 0)]).toEqual([250, 25_000]);
    expect(again.db.prepare('SELECT records FROM agents').all()).toEqual([{ records: 250 }]);
  });

  it('books each row where it was last seen, whatever offset its times are written with', () => {
    const merger = open([
      originalRow('utc', { last_updated: '2026-07-01T12:34:56.123456789+00:00' }),
      originalRow('z', { last_updated: '2026-07-01T12:34:56Z' }),
      originalRow('east', { last_updated: '2026-07-01T20:34:56.9+08:00' }),
      originalRow('west', { last_updated: '2026-07-01T05:04:00.000001-07:30' }),
      originalRow('start', { last_updated: 'unreadable', start: '2026-06-30T08:00:00+08:00' }),
      originalRow('neither', { last_updated: null, start: '' }),
      originalRow('unset', { last_updated: '1970-01-01T00:00:05+00:00', start: '1970-01-01T00:00:01+00:00' }),
      originalRow('future', { last_updated: '2031-01-01T00:00:00+00:00' }),
      originalRow('number', { last_updated: 5 }),
    ]);
    importAll(merger);
    const rows = merger.db
      .prepare('SELECT id, last_bucket, updated_ms FROM connections ORDER BY num')
      .all() as { id: string; last_bucket: number; updated_ms: number }[];
    const noon = MINUTE('2026-07-01T12:34:00Z');
    expect(Object.fromEntries(rows.map((row) => [row.id, row.last_bucket]))).toEqual({
      utc: noon,
      z: noon,
      east: noon,
      west: noon,
      start: MINUTE('2026-06-30T00:00:00Z'),
      neither: NOW / 60_000,
      unset: NOW / 60_000,
      future: NOW / 60_000,
      number: MINUTE('2026-07-01T11:58:00Z'),
    });
    expect(Math.max(...rows.map((row) => row.updated_ms))).toBe(NOW);
    checkBooks(merger.db);
  });

  it('keeps one record of rows without an agent: that with the greatest counters, in any order', () => {
    const copies = (id: string, counters: [number, number][]) =>
      counters.map(([down, up]) => originalRow(id, { agent_id: null, conn_download: down, conn_upload: up }));
    const merger = open([
      ...copies('rising', [
        [100, 1],
        [200, 2],
        [300, 3],
      ]),
      ...copies('falling', [
        [300, 3],
        [200, 2],
        [100, 1],
      ]),
      ...copies('crossed', [
        [300, 1],
        [100, 9],
      ]),
      originalRow('blank', { agent_id: '  ', conn_download: 7 }),
      originalRow('padded', { agent_id: ' router ', conn_download: 900 }),
      originalRow('padded', { agent_id: 'router', conn_download: 50 }),
    ]);
    importAll(merger);
    const records = checkBooks(merger.db).map(({ id, agent, down, up }) => [id, agent, down, up]);
    expect(records.sort()).toEqual([
      ['blank', 'unknown', 7, 10],
      ['crossed', 'unknown', 300, 9],
      ['falling', 'unknown', 300, 3],
      ['padded', 'router', 900, 10],
      ['rising', 'unknown', 300, 3],
    ]);
  });

  it('takes hops and DNS over a proxy as overlay: listed, in no sum', () => {
    const merger = open([
      originalRow('real', { conn_download: 1000 }),
      originalRow('hop', { type: 'Inner', process: '', conn_download: 1010 }),
      originalRow('nulls', { type: 'Inner', process: null, conn_download: 1 }),
      originalRow('own', { type: 'Inner', process: 'mihomo', conn_download: 5 }),
    ]);
    importAll(merger);
    const sums = merger.db
      .prepare('SELECT kind, sum(down) AS down FROM pending_facts GROUP BY kind ORDER BY kind')
      .all();
    expect(sums).toEqual([
      { kind: 0, down: 1005 },
      { kind: 1, down: 1011 },
    ]);
  });

  it('puts aside what no counter can be, keeps the row, and stays open for the truth', () => {
    const merger = open([
      originalRow('negative', { conn_download: -4000 }),
      originalRow('huge', { conn_download: 9_223_372_036_854_775_807n }),
      originalRow('text', { conn_download: 'many' }),
      originalRow('null', { conn_download: null, conn_upload: null }),
      originalRow('x', { id: null }),
      originalRow('good'),
    ]);
    importAll(merger);
    const quarantine = merger.db.prepare("SELECT row FROM quarantine WHERE what = 'import'").all() as {
      row: string;
    }[];
    expect(quarantine).toHaveLength(4);
    expect(quarantine[1]?.row).toContain('922337203685477');
    const records = checkBooks(merger.db);
    expect(records.map(({ id, down }) => [id, down])).toEqual([
      ['negative', 0],
      ['huge', 0],
      ['text', 0],
      ['null', 0],
      [null, 0],
      ['good', 100],
    ]);
    // What is over must not be listed as open for ever.
    const stillOpen = merger.db
      .prepare('SELECT id FROM connections WHERE closed_at IS NULL AND updated_ms < ?')
      .all(0);
    expect(stillOpen).toEqual([]);
    merger.v1(v1Body('router', [v1Record('huge', 5000)]), null);
    expect(checkBooks(merger.db).find(({ id }) => id === 'huge')?.down).toBe(5000);
  });

  it('shows codes of countries as the first of their array', async () => {
    writeOriginal(directory.file('master.db'), [
      originalRow('a', { destination_geoip: '["cn","private","apnic"]', conn_download: 100 }),
      originalRow('b', { destination_geoip: 'null', conn_download: 7 }),
      originalRow('c', { destination_geoip: '[]', conn_download: 20 }),
      originalRow('d', { destination_geoip: null, conn_download: 3 }),
    ]);
    const master = await new WholeMaster(directory.path).start();
    stops.push(() => master.stop());
    await waitFor('the import', async () => (await master.ingest.status()).importLeft === 0);
    const { data } = (await master.get('/stats?type=group&group_by=geoip&sort_by=download')).body;
    expect(data).toMatchObject([
      { destination_geoip: 'CN', download: 100, count: 1 },
      { destination_geoip: '', download: 30, count: 3 },
    ]);
    expect((await master.get('/stats?type=summary')).body.data).toMatchObject({ count: 4, download: 130 });
  });

  it('takes syncs while it imports', async () => {
    const rows = Array.from({ length: 8_000 }, (_, i) => originalRow(`c${i}`));
    writeOriginal(directory.file('master.db'), rows);
    const master = await new WholeMaster(directory.path).start();
    stops.push(() => master.stop());
    // The first rows are imported by then, the last ones are met before.
    const moved = [0, 1, 7_998, 7_999].map((i) => v1Record(`c${i}`, 1100));
    expect((await master.post('v1', v1Body('router', [...moved, v1Record('new', 5)]))).status).toBe(200);
    await waitFor('the import', async () => (await master.ingest.status()).importLeft === 0);
    expect((await master.get('/stats?type=summary')).body.data).toMatchObject({
      count: 8_001,
      download: 8_000 * 100 + 4 * 1000 + 5,
    });
    expect((await master.get('/agents')).body.data).toMatchObject([
      { agent_id: 'router', connection_count: 8_001 },
    ]);
  });
});
