import { createGzip, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unique, v1Body, v1Record, v2Body } from '../support/bodies.ts';
import { TestDirectory } from '../support/directory.ts';
import { WholeMaster } from '../support/whole-master.ts';

const MIB = 1024 * 1024;
const directory = new TestDirectory();
let master: WholeMaster;
beforeAll(async () => {
  master = await new WholeMaster(directory.path, { reserveLocal: true }).start();
  await master.post('v1', v1Body('good', [v1Record('kept', 1000)]));
});
afterAll(async () => {
  await master.stop();
  directory.remove();
});

/** Whatever came before: everything is answered, and what another agent had delivered is there. */
async function stillWell(): Promise<void> {
  for (const path of ['/stats?type=summary&agent_id=good', '/agents', '/connections', '/verify']) {
    expect([path, (await master.get(path)).status]).toEqual([path, 200]);
  }
  const { data } = (await master.get('/stats?type=summary&agent_id=good')).body;
  expect(data).toEqual({ count: 1, download: 1000, upload: 0, total: 1000 });
}

async function zeros(bytes: number): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const parts: Buffer[] = [];
  gzip.on('data', (part: Buffer) => parts.push(part));
  const block = Buffer.alloc(16 * MIB);
  for (let written = 0; written < bytes; written += block.length) {
    if (!gzip.write(block)) await new Promise((resolve) => gzip.once('drain', resolve));
  }
  await new Promise<void>((resolve) => {
    gzip.once('end', resolve);
    gzip.end();
  });
  return Buffer.concat(parts);
}

describe('a body that is meant to hurt', () => {
  it('a gigabyte of zeros in a megabyte is refused while it inflates, and costs no memory', async () => {
    const bomb = await zeros(1024 * MIB);
    expect(bomb.length).toBeLessThan(2 * MIB);
    const before = process.memoryUsage().rss;
    const began = performance.now();
    for (const version of ['v1', 'v2'] as const) {
      const answer = await master.postRaw(version, bomb, { gzip: true });
      expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large']);
    }
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * MIB);
    await stillWell();
  });

  it('JSON that is valid and inflates to just above 16 MiB is refused, just below it is read', async () => {
    const padded = (size: number) => {
      const body = JSON.stringify(v1Body('wide', [])).slice(0, -1);
      return gzipSync(`${body},"pad":"${'x'.repeat(size - body.length - 10)}"}`);
    };
    expect((await master.postRaw('v1', padded(16 * MIB), { gzip: true })).status).toBe(200);
    expect((await master.postRaw('v1', padded(16 * MIB + 1), { gzip: true })).status).toBe(413);
  });

  it.each([
    ['v2', `{"v":2,"runs":[${'{},'.repeat(5_000_000)}{}]}`],
    ['v1', `{"agent_id":"a","connections":[${'{},'.repeat(5_000_000)}{}]}`],
    ['v2', `{"strings":[${'"ab",'.repeat(3_000_000)}""]}`],
    ['v2', `{${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":1`).join()}}`],
  ] as const)(
    'millions of values in some kilobytes are refused before they are parsed: %s',
    async (version, body) => {
      const before = process.memoryUsage().rss;
      const answer = await master.postRaw(version, gzipSync(body), { gzip: true });
      expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large']);
      expect(process.memoryUsage().rss - before).toBeLessThan(200 * MIB);
    },
  );

  it.each([
    ['brackets', '['.repeat(2_000_000)],
    ['objects', '{"a":'.repeat(500_000)],
    ['closed ones too', `${'['.repeat(50)}${']'.repeat(50)}`],
    ['behind escaped quotes', `{"x":"\\"${'\\\\'.repeat(1000)}","y":${'['.repeat(100_000)}`],
  ])('nesting without end is refused before it is parsed: %s', async (_name, body) => {
    const answer = await master.postRaw('v2', gzipSync(body), { gzip: true });
    expect([answer.status, answer.body.code]).toEqual([400, 'body_invalid']);
  });

  it('brackets inside of strings are no nesting', async () => {
    const record = v1Record('brackets', 1, { host: '[{'.repeat(60), rule: '\\"[[[[[[[[[[[[[[[[[[[[' });
    expect((await master.post('v1', v1Body('brackets', [record]))).status).toBe(200);
    const { data } = (await master.get('/connections?agent_id=brackets')).body;
    expect(data).toMatchObject([{ host: '[{'.repeat(60), rule: '\\"[[[[[[[[[[[[[[[[[[[[' }]);
  });

  it('200,000 keys are read and ignored', async () => {
    const keys = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`key${i}`, i]));
    const answer = await master.post('v1', v1Body('keys', [{ ...keys, ...v1Record('keys', 7) }]));
    expect(answer.status).toBe(200);
    expect((await master.get('/stats?type=summary&agent_id=keys')).body.data.download).toBe(7);
  });

  it('keys that mean something to JavaScript mean nothing here', async () => {
    const body = `{"agent_id":"proto","__proto__":{"agent_id":"evil"},"constructor":{"prototype":{"polluted":1}},"connections":[
      {"id":"p1","download":5,"__proto__":{"download":900,"host":"evil.example"},"constructor":"x","toString":1,"hasOwnProperty":null},
      {"id":"__proto__","download":1,"agent_id":"__proto__"},{"id":"constructor","download":2,"host":"__proto__","process":"constructor","rule":"toString"}
    ]}`;
    expect((await master.postRaw('v1', body)).status).toBe(200);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    const groups = (await master.get('/stats?type=group&group_by=host&agent_id=proto')).body.data;
    expect(
      new Map(groups.map((row: { host: string; download: number }) => [row.host, row.download])),
    ).toEqual(
      new Map([
        ['', 5],
        ['__proto__', 2],
      ]),
    );
    expect((await master.get('/agents/__proto__/status')).body.data).toMatchObject({ total_download: 1 });
    await stillWell();
  });

  it('more than 5,000 rows are refused as a whole, by either protocol', async () => {
    const totals = Array.from({ length: 5001 }, (_, i) => [30_000_000 + i, i, i]);
    const answer = await master.post('v2', v2Body('rows', { totals }));
    expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large']);
    const records = Array.from({ length: 5001 }, (_, i) => ({ id: `r${i}`, download: 1 }));
    expect((await master.post('v1', v1Body('rows', records))).status).toBe(413);
    expect((await master.post('v1', v1Body('rows', records.slice(1)))).status).toBe(200);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a number', '7'],
    ['null', 'null'],
    ['an array', '[]'],
    ['records that are no array', '{"agent_id":"x","connections":{"length":3}}'],
    ['an agent that is no text', '{"agent_id":["x"],"connections":[]}'],
    ['no agent', '{"connections":[]}'],
  ])('a body of %s is 400 with what is wrong, and never 500', async (_name, body) => {
    for (const version of ['v1', 'v2'] as const) {
      const answer = await master.postRaw(version, body);
      expect([answer.status, answer.body.code]).toEqual([400, 'body_invalid']);
    }
  });

  it('gzip that is none, or ends too early, is 400', async () => {
    const whole = gzipSync(JSON.stringify(v1Body('cut', [v1Record('c', 1)])));
    for (const body of [Buffer.from('no gzip at all'), whole.subarray(0, 60)]) {
      expect((await master.postRaw('v1', body, { gzip: true })).status).toBe(400);
    }
  });
});

describe('the id of an agent', () => {
  it.each([
    ['empty', ''],
    ['blanks', '   '],
    ['129 characters', 'x'.repeat(129)],
    ['a line break inside', 'a\nb'],
    ['an escape', 'a\u001b[31m'],
    ['a C1 control', 'a\u0085b'],
    ['half a surrogate pair', 'a\ud800'],
    ['an override of direction', '\u202elacol'],
  ])('%s is refused', async (_name, id) => {
    expect((await master.post('v1', v1Body(id, [v1Record(unique('c'), 1)]))).status).toBe(400);
    expect((await master.post('v2', v2Body(id))).status).toBe(400);
  });

  it('128 characters of any script are one id, blanks around it are none of it', async () => {
    const id = '路'.repeat(64) + '𝄞'.repeat(64);
    expect((await master.post('v1', v1Body(` ${id} `, [v1Record('script', 3)]))).status).toBe(200);
    const status = await master.get(`/agents/${encodeURIComponent(id)}/status`);
    expect(status.body.data).toMatchObject({ agent_id: id, total_download: 3 });
  });

  it('"local" belongs to the agent inside this master: 403 in the envelope, quarantine in a record', async () => {
    for (const id of ['local', ' local ', 'local\u200b', 'ＬＯＣＡＬ']) {
      const v1 = await master.post('v1', v1Body(id, [v1Record('l', 1)]));
      expect([v1.status, v1.body.code]).toEqual([403, 'agent_id_reserved']);
      const v2 = await master.post('v2', v2Body(id));
      expect([v2.status, v2.body.code]).toEqual([403, 'agent_id_reserved']);
    }
    const mixed = [v1Record('l1', 1, { agent_id: 'local' }), v1Record('l2', 2)];
    expect((await master.post('v1', v1Body('guest', mixed))).status).toBe(200);
    expect((await master.get('/stats?type=summary&agent_id=guest')).body.data.download).toBe(2);
    const ids = (await master.get('/agents')).body.data.map((row: { agent_id: string }) => row.agent_id);
    expect(ids).not.toContain('local');
  });
});
