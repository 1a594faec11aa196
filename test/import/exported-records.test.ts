import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_ROW } from '../../src/domain/csv-reader.ts';
import { importRecords } from '../../src/master/import/import-records.ts';
import { readParquet } from '../../src/master/store/embedded/parquet-file.ts';
import { connectionRow, v1Body, v1Record, v2Body } from '../support/bodies.ts';
import { TestDirectory } from '../support/directory.ts';
import { WholeMaster } from '../support/whole-master.ts';

const MINUTE = Math.floor(Date.parse('2026-07-01T12:00:00Z') / 60_000);
const NEVER = new AbortController().signal;

const directory = new TestDirectory();
let masters: WholeMaster[] = [];
afterEach(async () => {
  for (const master of masters) await master.stop();
  masters = [];
});

async function run(name: string): Promise<WholeMaster> {
  const master = await new WholeMaster(directory.path, { name }).start();
  masters.push(master);
  return master;
}

async function stop(master: WholeMaster): Promise<void> {
  masters.splice(masters.indexOf(master), 1);
  await master.stop();
}

/** Records with bases, recovered bytes and overlay, open and closed; texts that formats have trouble with. */
async function filled(name: string): Promise<WholeMaster> {
  const master = await run(name);
  await master.post('v1', v1Body('old', [v1Record('a', 500, { process: '=1+1,"x"\r\n' }), v1Record('b', 7)]));
  const ms = (minute: number) => (MINUTE + minute) * 60_000;
  await master.post(
    'v2',
    v2Body('new', {
      strings: ['c', '', 'd', 'e'],
      connections: [
        connectionRow(0, 1, { base: [300, 30] }),
        connectionRow(2, 1, { counted: 0 }),
        connectionRow(3, 1),
      ],
      samples: [
        [0, MINUTE, 700, 70, 0, 0, 0],
        [2, MINUTE, 100, 10, 0, 0, 0],
        [3, MINUTE + 1, 900, 90, 250, 0, 0],
      ],
      closed: [[3, ms(2)]],
    }),
  );
  return master;
}

async function exported(master: WholeMaster, format: string): Promise<string> {
  const answer = await fetch(`${master.url}/api/v1/export?what=connections&format=${format}`, {
    headers: { authorization: `Bearer ${WholeMaster.TOKEN}` },
  });
  expect(answer.status).toBe(200);
  const file = directory.file(`connections-${Math.random()}.${format}`);
  writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
  return file;
}

const summaryOf = async (master: WholeMaster) => (await master.get('/stats?type=summary')).body.data;

/** What people try, and what they are told. */
const OTHER_FILES = [
  ['facts.csv', 'bucket,previous,tier,kind\r\n', 'holds facts, which cannot be told'],
  ['answer.csv', 'part,host,download\r\n', 'holds the answer to a query'],
  ['other.ndjson', '{"id":"a"}\n', 'is no whole export of connections: it has no agent_id, no last_updated'],
  ['sheet.csv', 'date,amount\r\n', 'is no export of connections: its columns are date, amount'],
  ['mihomo.db', 'SQLite format 3\0…', 'is an SQLite database: if it is a master'],
  ['sqlite.csv', 'SQLite format 3\0…', 'is an SQLite database: if it is a master'],
  ['master.facts.duckdb', '\0\0\0\0\0\0\0\0DUCK', 'is the facts file of a master'],
  ['connections.csv.gz', '\x1f\x8b\x08', 'is compressed: unpack it first (gzip -d)'],
  ['connections.ndjson.zst', '\x28\xb5\x2f\xfd', 'is compressed: unpack it first (zstd -d)'],
  ['connections.xlsx', 'PK\x03\x04', 'is a ZIP archive or a spreadsheet'],
  ['utf16.csv', '\xff\xfei\0d\0', 'is UTF-16: save it as UTF-8'],
  ['empty.csv', '', 'is empty'],
  ['list.json', '[{"id":"a"}]', 'is one JSON value: NDJSON'],
  ['answer.json', '{\n  "status": "success"', 'is one JSON value: NDJSON'],
  ['rows.csv', '{"id":"a"}\n', 'is no CSV: it seems to be .ndjson'],
  ['rows.ndjson', 'id,agent_id\r\n', 'is no NDJSON: it seems to be .csv'],
  ['rows', 'PAR1…', 'does not end in .csv, .ndjson, .jsonl, .parquet: it seems to be .parquet'],
  ['rows.txt', 'hello', 'does not end in .csv'],
] as const;

describe('an export of connections', () => {
  it.each(['csv', 'ndjson', 'parquet'])(
    'comes into another master as %s, and again changes nothing',
    async (format) => {
      const from = await filled(`from-${format}`);
      const file = await exported(from, format);
      const empty = await run(`to-${format}`);
      await stop(empty);
      const database = directory.file(`to-${format}.db`);
      expect(await importRecords(file, database, readParquet, NEVER)).toEqual({
        ...{ new: 5, grown: 0, same: 0, refused: 0 },
        ...{ problems: [], complete: true },
      });
      expect(await importRecords(file, database, readParquet, NEVER)).toMatchObject({
        new: 0,
        grown: 0,
        same: 5,
      });
      const to = await run(`to-${format}`);
      expect(await summaryOf(to)).toEqual(await summaryOf(from));
      expect((await summaryOf(to)).download).toBe(500 + 7 + 400 + 900);
      const recovered = (body: object) => to.ask('POST', '/api/v1/query', { body: JSON.stringify(body) });
      const { body } = await recovered({ metrics: ['recovered'] });
      expect(body.data.summary.totals.recovered).toBe(250);
      const again = await exported(to, 'ndjson');
      const lines = (path: string) => readFileSync(path, 'utf8').trim().split('\n').sort();
      expect(lines(again)).toEqual(lines(await exported(from, 'ndjson')));
    },
  );

  it('changes nothing in the master that it is of, which then goes on', async () => {
    const master = await filled('same');
    const before = await summaryOf(master);
    const file = await exported(master, 'ndjson');
    await stop(master);
    expect(await importRecords(file, directory.file('same.db'), readParquet, NEVER)).toMatchObject({
      new: 0,
      grown: 0,
      same: 5,
    });
    const after = await run('same');
    expect(await summaryOf(after)).toEqual(before);
    await after.post('v1', v1Body('old', [v1Record('a', 800)]));
    expect((await summaryOf(after)).download).toBe(before.download + 300);
  });

  it('loses nothing to rows that are broken, and names their lines', async () => {
    const master = await filled('broken');
    const file = await exported(master, 'ndjson');
    const [first = ''] = readFileSync(file, 'utf8').split('\n');
    const row = JSON.parse(first) as Record<string, unknown>;
    appendFileSync(file, '{"id": \n');
    appendFileSync(file, `${JSON.stringify({ ...row, id: 'x', download: -1, last_updated: 'soon' })}\n`);
    appendFileSync(file, `${JSON.stringify({ ...row, id: 'y' })}\n`);
    await stop(await run('to-broken'));
    expect(await importRecords(file, directory.file('to-broken.db'), readParquet, NEVER)).toMatchObject({
      new: 6,
      refused: 2,
      problems: [
        { line: 6, problem: 'is no JSON object' },
        { line: 7, problem: 'download is no whole number from 0 to 70368744177664; last_updated is no time' },
      ],
    });
  });

  it('ends its rows at line breaks alone, which U+2028 and U+2029 are not', async () => {
    const from = await run('separators');
    const process = 'a\u2028b\u2029c\u0085d';
    await from.post('v1', v1Body('old', [v1Record('a', 5, { process }), v1Record('b', 7)]));
    const file = await exported(from, 'ndjson');
    expect(readFileSync(file, 'utf8')).toContain(process);
    appendFileSync(file, '{"id": \r\n');
    await stop(await run('to-separators'));
    expect(await importRecords(file, directory.file('to-separators.db'), readParquet, NEVER)).toMatchObject({
      new: 2,
      refused: 1,
      problems: [{ line: 3, problem: 'is no JSON object' }],
    });
    const to = await run('to-separators');
    const { body } = await to.get('/connections');
    expect(body.data.map((row: { process: string }) => row.process)).toContain(process);
  });

  it('is taken but for a line that does not end', async () => {
    const master = await filled('endless');
    const file = await exported(master, 'ndjson');
    const rows = readFileSync(file, 'utf8');
    writeFileSync(file, `{"id":"${'x'.repeat(MAX_ROW)}"}\n${rows}`);
    await stop(await run('to-endless'));
    expect(await importRecords(file, directory.file('to-endless.db'), readParquet, NEVER)).toMatchObject({
      new: 5,
      refused: 1,
      problems: [{ line: 1, problem: `is longer than ${MAX_ROW} characters` }],
    });
  });

  it('goes on where it was told to stop', async () => {
    const master = await filled('stopped');
    const file = await exported(master, 'csv');
    await stop(await run('to-stopped'));
    const database = directory.file('to-stopped.db');
    const first = await importRecords(file, database, readParquet, AbortSignal.abort());
    expect(first).toMatchObject({ new: 1, complete: false });
    expect(await importRecords(file, database, readParquet, NEVER)).toMatchObject({
      new: 4,
      same: 1,
      complete: true,
    });
  });

  it('has agents known up to the newest of their records, in any order, and lowers none', async () => {
    const rows = [20, 5, 60].map((minute) => {
      const at = new Date((MINUTE + minute) * 60_000).toISOString();
      const counters = { download: 9, upload: 0, base_download: 0, base_upload: 0 };
      const recovered = { recovered_download: 0, recovered_upload: 0 };
      return {
        id: `c${minute}`,
        agent_id: 'far',
        last_updated: at,
        closed_at: at,
        counted: true,
        ...counters,
        ...recovered,
      };
    });
    const file = directory.file('order.ndjson');
    const write = (agent: string) =>
      writeFileSync(file, rows.map((row) => `${JSON.stringify({ ...row, agent_id: agent })}\n`).join(''));
    const live = await run('order');
    await live.post('v2', v2Body('live', {}));
    const agents = async (master: WholeMaster) => (await master.get('/agents')).body.data;
    const before = await agents(live);
    await stop(live);
    for (const agent of ['far', 'live']) {
      write(agent);
      const taken = await importRecords(file, directory.file('order.db'), readParquet, NEVER);
      expect(taken).toMatchObject({ new: 3, refused: 0 });
    }
    const after = await agents(await run('order'));
    const newest = new Date((MINUTE + 60) * 60_000);
    const far = after.find(({ agent_id }: { agent_id: string }) => agent_id === 'far');
    expect(Date.parse(far.last_sync)).toBe(newest.getTime());
    expect(Date.parse(far.booked_to)).toBe(newest.getTime());
    const known = (of: { agent_id: string; last_sync: string; booked_to: string | null }[]) =>
      of
        .filter(({ agent_id }) => agent_id === 'live')
        .map(({ last_sync, booked_to }) => [last_sync, booked_to]);
    expect(known(after)).toEqual(known(before));
    expect(known(after)).toHaveLength(1);
  });

  it('is told from facts, which cannot be imported, and from anything else', async () => {
    const database = directory.file('none.db');
    for (const [name, content, said] of OTHER_FILES) {
      const file = directory.file(name);
      writeFileSync(file, content, 'latin1');
      await expect(importRecords(file, database, readParquet, NEVER), name).rejects.toMatchObject({
        code: 'import_refused',
        message: expect.stringContaining(said),
      });
    }
    await expect(importRecords(directory.path, database, readParquet, NEVER)).rejects.toMatchObject({
      message: expect.stringMatching(/is a directory: .*restore/),
    });
    const missing = importRecords(directory.file('missing.csv'), database, readParquet, NEVER);
    await expect(missing).rejects.toMatchObject({
      code: 'import_refused',
      message: expect.stringContaining('there is no file'),
    });
  });
});
