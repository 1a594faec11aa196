import { writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CsvReader } from '../../src/domain/csv-reader.ts';
import { DIMENSIONS } from '../../src/domain/dimensions.ts';
import { connectionRow, v1Body, v1Record, v2Body } from '../support/bodies.ts';
import { TestDirectory } from '../support/directory.ts';
import { WholeMaster } from '../support/whole-master.ts';

const MINUTE = Math.floor(Date.parse('2026-07-01T12:00:00Z') / 60_000);
const at = (minute: number): string => new Date((MINUTE + minute) * 60_000).toISOString();
const RANGE = `from=${at(0)}&to=${at(10)}`;

const directory = new TestDirectory();
let master: WholeMaster;
beforeAll(async () => {
  master = await new WholeMaster(directory.path).start();
  const odd = ['=1+1', '+1', '-1', '@x', '\ttab', '\rcr', '＝x', '＋x', '－x', '＠x', "'=quoted", "'tis"];
  const texts = ['a,b', 'say "hi"', 'two\r\nlines', '😀 emoji', 'nul\0nul', 'plain', ...odd];
  const records = texts.map((process, index) =>
    v1Record(`r${index}`, 100 + index, { process, upload: index, last_updated: at(1) }),
  );
  await master.post('v1', v1Body('old', records));
  const strings = ['c', '', 'd', 'example.org', 'DIRECT'];
  await master.post(
    'v2',
    v2Body('new', {
      strings,
      connections: [connectionRow(0, 1, { fields: { host: 3 } }), connectionRow(2, 1, { counted: 0 })],
      samples: [
        [0, MINUTE, 700, 70, 200, 0, 0],
        [0, MINUTE + 1, 900, 90, 200, 0, 0],
        [2, MINUTE, 100, 10, 0, 0, 0],
      ],
      totals: [
        [MINUTE, 1000, 100],
        [MINUTE + 1, 1500, 150],
      ],
    }),
  );
  await master.flusher.drain();
});
afterAll(async () => {
  await master.stop();
  directory.remove();
});

async function download(path: string, token: string | null = WholeMaster.TOKEN): Promise<Response> {
  return await fetch(`${master.url}/api/v1${path}`, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });
}

type Row = Record<string, string | number | boolean | null>;

async function ndjson(path: string): Promise<Row[]> {
  const answer = await download(path);
  expect(answer.status).toBe(200);
  const lines = (await answer.text()).split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line) as Row);
}

async function csv(path: string): Promise<{ header: readonly string[]; rows: (readonly string[])[] }> {
  const answer = await download(path);
  expect(answer.status).toBe(200);
  const reader = new CsvReader();
  const rows = [...reader.push(await answer.text()), ...reader.end()].map(({ cells }) => cells);
  const [header = [], ...rest] = rows;
  return { header, rows: rest };
}

/** What DuckDB of its own, without any of ours, reads in a Parquet file. */
async function parquet(path: string): Promise<(sql: string) => Promise<Record<string, unknown>[]>> {
  const answer = await download(path);
  expect(answer.status).toBe(200);
  const file = directory.file('export.parquet');
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(bytes.length).toBe(Number(answer.headers.get('content-length')));
  writeFileSync(file, bytes);
  const connection = await (await DuckDBInstance.create()).connect();
  return async (sql) => (await connection.runAndReadAll(sql.replace('$file', `'${file}'`))).getRowObjectsJS();
}

const sum = (rows: readonly Row[], column: string): number =>
  rows.reduce((total, row) => total + Number(row[column]), 0);

describe('facts', () => {
  it('are all there, with their dimensions by name, and add up to what a query says', async () => {
    const rows = await ndjson(`/export?format=ndjson&what=facts&${RANGE}`);
    const names = DIMENSIONS.map(({ name }) => name);
    expect(Object.keys(rows[0] ?? {})).toEqual([
      ...['bucket', 'previous', 'tier', 'kind', ...names],
      ...['recovered', 'download', 'upload', 'connections'],
    ]);
    const { data } = await query({ from: at(0), to: at(10), metrics: ['total', 'connections', 'recovered'] });
    const counted = rows.filter(({ kind }) => kind === 'counted');
    const rest = rows.filter(({ kind }) => kind === 'unattributed');
    expect(sum(counted, 'download') + sum(rest, 'download')).toBe(data.summary.totals.download);
    expect(sum(rest, 'download')).toBe(data.unattributed.totals.download);
    expect(sum(rest, 'download')).toBe(600);
    const first = counted.filter(({ previous }) => previous === null || String(previous) < at(0));
    expect(sum(first, 'connections')).toBe(data.summary.totals.connections);
    const recovered = counted.filter((row) => row.recovered === true);
    expect(sum(recovered, 'download') + sum(recovered, 'upload')).toBe(data.summary.totals.recovered);
    expect(rows.filter(({ kind }) => kind === 'overlay')).toMatchObject([{ download: 100, upload: 10 }]);
    expect(
      counted.find(({ host, recovered: flagged }) => host === 'example.org' && flagged === false),
    ).toMatchObject({
      bucket: at(0),
      previous: null,
      tier: 'minute',
      agent: 'new',
      site: 'example.org',
      connections: 1,
    });
  });

  it('say by headers what they are of', async () => {
    const { headers } = await download(`/export?format=csv&what=facts&${RANGE}`);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': 'attachment; filename="facts_20260701T120000Z_20260701T121000Z.csv"',
      'export-tier': 'minute',
      'export-from': at(0),
      'export-to': at(10),
      'export-aligned': 'true',
      'export-fresh-to': expect.stringContaining('T'),
      'cache-control': 'no-store',
    });
  });

  it.each(['process = plain', 'site under example.org', 'agent = old and not process = plain'])(
    'pass the filter %s as those of a query do',
    async (filter) => {
      const rows = await ndjson(
        `/export?format=ndjson&what=facts&${RANGE}&filter=${encodeURIComponent(filter)}`,
      );
      const { data } = await query({ from: at(0), to: at(10), filter });
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.some(({ kind }) => kind === 'unattributed')).toBe(false);
      expect(sum(rows, 'download')).toBe(data.summary.totals.download);
    },
  );

  it('come from the half hours when asked to', async () => {
    const rows = await ndjson(`/export?format=ndjson&what=facts&from=${at(0)}&to=${at(30)}&tier=half_hour`);
    expect(new Set(rows.map(({ bucket }) => bucket))).toEqual(new Set([at(0)]));
    const { data } = await query({ from: at(0), to: at(30) });
    expect(
      sum(
        rows.filter(({ kind }) => kind !== 'overlay'),
        'download',
      ),
    ).toBe(data.summary.totals.download);
  });

  it('are a Parquet file with types, equal to the other forms', async () => {
    const ask = await parquet(`/export?format=parquet&what=facts&${RANGE}`);
    const rows = await ndjson(`/export?format=ndjson&what=facts&${RANGE}`);
    expect(await ask('SELECT count(*)::INTEGER AS n, sum(download)::INTEGER AS d FROM $file')).toEqual([
      { n: rows.length, d: sum(rows, 'download') },
    ]);
    const types = await ask('SELECT column_name AS n, column_type AS t FROM (DESCRIBE SELECT * FROM $file)');
    const typeOf = Object.fromEntries(types.map(({ n, t }) => [String(n), t]));
    expect(typeOf).toMatchObject({
      bucket: 'TIMESTAMP WITH TIME ZONE',
      previous: 'TIMESTAMP WITH TIME ZONE',
      group: 'VARCHAR',
      recovered: 'BOOLEAN',
      download: 'BIGINT',
    });
    expect(Object.keys(typeOf)).toEqual(Object.keys(rows[0] ?? {}));
    const processes = await ask('SELECT process FROM $file');
    expect(processes.map(({ process }) => process).sort()).toEqual(rows.map(({ process }) => process).sort());
  });
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the answer holds
async function query(body: object): Promise<any> {
  const { status, body: answer } = await master.ask('POST', '/api/v1/query', { body: JSON.stringify(body) });
  expect(status).toBe(200);
  return answer;
}

describe('connections', () => {
  it('are records as lists have them, each once', async () => {
    const rows = await ndjson('/export?format=ndjson&what=connections');
    const listed = (await master.get('/connections?limit=1000')).body.data as Row[];
    expect(rows).toHaveLength(listed.length);
    for (const row of rows) {
      const same = listed.find(({ id }) => id === row.id) ?? {};
      for (const [name, value] of Object.entries(row)) {
        if (!/^(base|recovered)_/.test(name)) expect(same[name], name).toEqual(value);
      }
    }
    expect(rows.find(({ id }) => id === 'c')).toMatchObject({ recovered_download: 200, base_download: 0 });
  });

  it('pass filters as lists do', async () => {
    const filter = encodeURIComponent('process = plain or download > 200');
    const rows = await ndjson(`/export?format=ndjson&what=connections&filter=${filter}&counted=true`);
    const listed = (await master.get(`/connections?filter=${filter}&counted=true`)).body.data as Row[];
    expect(rows.map(({ id }) => id).sort()).toEqual(listed.map(({ id }) => String(id)).sort());
    expect(rows.length).toBeGreaterThan(0);
  });

  it('come back from CSV as they were, and no cell is a formula', async () => {
    const { header, rows } = await csv('/export?format=csv&what=connections');
    const before = await ndjson('/export?format=ndjson&what=connections');
    const expected = before.map((row) =>
      header.map((name) => String(row[name] ?? '').replaceAll('\0', '\uFFFD')),
    );
    expect(rows).toEqual(expected);
    const text = await (await download('/export?format=csv&what=connections')).text();
    expect(text).not.toMatch(/(^|,|")[=+@＝＋－＠]/m);
    expect(text).toContain(",'=1+1,");
    expect(text).toContain(",''=quoted,");
    expect(text).toContain(',"say ""hi""",');
  });

  it('are a Parquet file with types', async () => {
    const ask = await parquet('/export?format=parquet&what=connections');
    const rows = await ndjson('/export?format=ndjson&what=connections');
    const [sums] = await ask(
      'SELECT count(*)::INTEGER AS n, sum(download)::INTEGER AS d, min(start)::VARCHAR AS s, typeof(min(counted)) AS c FROM $file',
    );
    expect(sums).toMatchObject({ n: rows.length, d: sum(rows, 'download'), c: 'BOOLEAN' });
    const [odd] = await ask("SELECT process FROM $file WHERE process LIKE 'nul%'");
    expect(odd).toEqual({ process: 'nul\0nul' });
  });
});

describe('queries', () => {
  const asked = { from: at(0), to: at(10), group_by: ['agent', 'process'], top: 3 };

  it('are rows that add up to the summary', async () => {
    const rows = await ndjson(await ticketPath({ format: 'ndjson', query: asked }));
    const { data } = await query(asked);
    expect(rows.map(({ part }) => part)).toEqual(['group', 'group', 'group', 'other', 'unattributed']);
    expect(sum(rows, 'total')).toBe(data.summary.totals.total);
    expect(Object.keys(rows[0] ?? {})).toEqual(['part', 'agent', 'process', 'download', 'upload', 'total']);
  });

  it('have a row for each group and point of a series', async () => {
    const series = { ...asked, interval: 'minute', group_by: ['agent'] };
    const rows = await ndjson(await ticketPath({ format: 'ndjson', query: series }));
    const { data } = await query(series);
    expect(rows).toHaveLength(3 * data.buckets.length);
    expect(sum(rows, 'total')).toBe(data.summary.totals.total);
    expect(rows[0]?.time).toBe(data.buckets[0]);
  });

  it('stand beside the period before', async () => {
    const compared = { ...asked, from: at(1), to: at(2), compare: { from: at(0), to: at(1) } };
    const rows = await ndjson(await ticketPath({ format: 'ndjson', query: compared }));
    const { data } = await query(compared);
    expect(sum(rows, 'previous_total')).toBe(data.summary.previous.total);
    expect(sum(rows, 'total')).toBe(data.summary.totals.total);
  });

  it('are a Parquet file', async () => {
    const ask = await parquet(await ticketPath({ format: 'parquet', query: asked }));
    const { data } = await query(asked);
    expect(await ask('SELECT sum(total)::INTEGER AS t FROM $file')).toEqual([
      { t: data.summary.totals.total },
    ]);
  });
});

async function ticketPath(body: object, token = WholeMaster.TOKEN): Promise<string> {
  const { status, body: answer } = await master.ask('POST', '/api/v1/export/ticket', {
    body: JSON.stringify(body),
    token,
  });
  expect(status).toBe(200);
  return String(answer.data.url).replace('/api/v1', '');
}

describe('tickets', () => {
  const body = { format: 'csv', facts: { from: at(0), to: at(10) } };

  it('are good once, without a token', async () => {
    const path = await ticketPath(body);
    expect((await download(path, null)).status).toBe(200);
    const again = await download(path, null);
    expect(again.status).toBe(404);
    expect(await again.json()).toMatchObject({ code: 'not_found' });
  });

  it('cannot be guessed, nor combined with a question', async () => {
    expect((await download('/export?ticket=x', null)).status).toBe(404);
    expect((await download('/export?ticket=', null)).status).toBe(404);
    const answer = await download(`${await ticketPath(body)}&format=csv`, null);
    expect(answer.status).toBe(400);
  });

  it('end with the token that made them', async () => {
    const { data } = (await master.ask('POST', '/api/v1/tokens', { body: '{"name":"brief","scope":"read"}' }))
      .body;
    const path = await ticketPath(body, data.secret);
    await master.ask('DELETE', `/api/v1/tokens/${data.id}`);
    expect((await download(path, null)).status).toBe(401);
  });

  it('are nothing that an agent can have', async () => {
    const secret = await master.token('delivers', 'agent', 'new');
    const { status } = await master.ask('POST', '/api/v1/export/ticket', {
      body: JSON.stringify(body),
      token: secret,
    });
    expect(status).toBe(403);
  });
});

describe('mistakes', () => {
  it.each([
    ['/export', ['format', 'what']],
    ['/export?format=xlsx&what=facts', ['format']],
    ['/export?format=csv&what=query', ['what']],
    [`/export?format=csv&what=facts&from=${at(1)}&to=${at(0)}&network=tcp`, ['network', 'to']],
    ['/export?format=csv&what=connections&tier=minute', ['tier']],
    ['/export?format=csv&what=facts&filter=nonsense%20%3D', ['filter']],
    ['/export?format=csv&what=facts&limit=5', ['limit']],
  ])('of %s are told before the first byte', async (path, fields) => {
    const answer = await download(path);
    expect(answer.status).toBe(400);
    const { details } = (await answer.json()) as { details: { field: string }[] };
    expect([...new Set(details.map(({ field }) => field))].sort()).toEqual(fields);
  });

  it.each([
    [{ format: 'csv' }, 'query'],
    [{ format: 'csv', facts: {}, query: {} }, 'facts'],
    [{ format: 'csv', facts: { filter: 'x =' } }, 'facts.filter'],
    [{ format: 'csv', connections: { range: '1h', from: at(0) } }, 'connections.range'],
    [{ format: 'csv', query: { group_by: ['hosts'] } }, 'query.group_by[0]'],
  ])('of the ticket %j are told when it is asked for', async (body, field) => {
    const { status, body: answer } = await master.ask('POST', '/api/v1/export/ticket', {
      body: JSON.stringify(body),
    });
    expect(status).toBe(400);
    expect(answer.details?.map((detail) => detail.field)).toEqual([field]);
  });

  it('are heads: all the work for nothing', async () => {
    const answer = await fetch(`${master.url}/api/v1/export?format=csv&what=facts`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${WholeMaster.TOKEN}` },
    });
    expect(answer.status).toBe(405);
  });
});
