import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openReader, type Sqlite } from '../../src/common/sqlite.ts';
import { connectionRow, unique, v1Body, v1Record, v2Body } from '../support/bodies.ts';
import { checkBooks } from '../support/books.ts';
import { TestDirectory } from '../support/directory.ts';
import { WholeMaster } from '../support/whole-master.ts';

const directory = new TestDirectory();
let master: WholeMaster;
let db: Sqlite;
let agent: string;
beforeAll(async () => {
  master = await new WholeMaster(directory.path).start();
  db = openReader(directory.file('master.db'));
});
afterAll(async () => {
  checkBooks(db);
  db.close();
  await master.stop();
  directory.remove();
});
beforeEach(() => {
  agent = unique('agent');
});

const MINUTE = Math.floor(Date.UTC(2026, 6, 1, 12) / 60_000);
const MAX = Number.MAX_SAFE_INTEGER;

async function downloadOf(id = agent): Promise<number> {
  return (await master.get(`/stats?type=summary&agent_id=${id}`)).body.data.download;
}

/** What stands in quarantine for an agent: `[what, code]`, oldest first. */
function quarantine(id = agent): [string, string][] {
  const rows = db.prepare('SELECT what, code FROM quarantine WHERE agent_id = ? ORDER BY id').all(id);
  return (rows as { what: string; code: string }[]).map(({ what, code }) => [what, code]);
}

/** A batch of a good connection with 100 bytes, and of rows under test. */
function withGood(more: Record<string, unknown[]>, strings: string[] = []) {
  const good = unique('good');
  return v2Body(agent, {
    strings: [good, '', ...strings],
    ...more,
    connections: [connectionRow(0, 1), ...(more.connections ?? [])],
    samples: [[0, MINUTE, 100, 0, 0, 0, 0], ...(more.samples ?? [])],
  });
}

describe('a bad record of the original’s wire costs itself alone', () => {
  it.each([
    ['null', null],
    ['a text', 'x'],
    ['an array', [1, 2]],
    ['no id', { download: 1 }],
    ['an empty id', v1Record('', 1)],
    ['an id that is a number', { id: 7, download: 1 }],
    ['an id of 257 characters', v1Record('x'.repeat(257), 1)],
    ['an id with half a surrogate pair', v1Record('x\ud800', 1)],
    ['a negative counter', v1Record('n', -1)],
    ['a fraction', v1Record('f', 1.5)],
    ['infinity', '{"id":"i","download":1e999}'],
    ['2^53', v1Record('b', 2 ** 53)],
    ['2^63 − 1', '{"id":"o","download":9223372036854775807}'],
    ['more than any line moves', v1Record('m', 2 ** 46 + 1)],
    ['a counter that is an object', { id: 'q', download: {} }],
    ['a text that is no number', { id: 't', download: '12abc' }],
    ['an agent of 129 characters', v1Record('a', 1, { agent_id: 'x'.repeat(129) })],
  ])('%s', async (name, record) => {
    const records = JSON.stringify([v1Record('before', 10), record, v1Record('after', 20)]);
    const body = `{"agent_id":"${agent}","connections":${records.replace(/"(\{\\"id[^}]*\})"/, (_all, text: string) => text.replaceAll('\\"', '"'))}}`;
    const answer = await master.postRaw('v1', body);
    expect([name, answer.status, answer.body.data.count]).toEqual([name, 200, 3]);
    expect(await downloadOf()).toBe(30);
    expect(quarantine()).toHaveLength(1);
  });

  it('what it says beside its counters is taken as far as it can be', async () => {
    const record = v1Record('odd', 5, {
      last_updated: 'yesterday',
      start: 17,
      uid: -4,
      dscp: 'x',
      chains: null,
      host: 12,
      process: { a: 1 },
      rule: ['x', 'y'],
      destination_port: 443,
      destination_geoip: '{"not":"codes"}',
    });
    await master.post('v1', v1Body(agent, [record]));
    const { data } = (await master.get(`/connections?agent_id=${agent}`)).body;
    expect(data).toMatchObject([
      { id: 'odd', download: 5, uid: 0, dscp: 0, chains: '[]', host: '12', process: '', rule: '["x","y"]' },
    ]);
    expect(Math.abs(Date.parse(data[0].last_updated) - Date.now())).toBeLessThan(60_000);
  });

  it('a clock that was never set is no time: the record is booked now, and charts keep their width', async () => {
    const records = [
      v1Record('1970', 5, { last_updated: '1970-01-01T00:00:09+00:00', start: '1970-01-01T00:00:03+00:00' }),
      v1Record('2000', 6, { last_updated: '2000-01-01T08:00:00+08:00', start: '2026-07-01T12:00:00Z' }),
      v1Record('9999', 7, { last_updated: '9999-12-31T23:59:59Z' }),
    ];
    await master.post('v1', v1Body(agent, records));
    const series = await master.get(`/stats?type=timeseries&interval=hour&metric=download&agent_id=${agent}`);
    expect(series.status).toBe(200);
    const points: { value: number }[] = series.body.data;
    expect(points.reduce((sum, point) => sum + point.value, 0)).toBe(18);
    expect(points.at(-1)?.value).toBe(12);
  });

  it('two ids that a store would make one are told apart before', async () => {
    const body = JSON.stringify(
      v1Body(agent, [v1Record('\ud800', 1), v1Record('\ud801', 2), v1Record('\ufffd', 4)]),
    );
    expect((await master.postRaw('v1', body)).status).toBe(200);
    expect(await downloadOf()).toBe(4);
  });

  it('texts with anything in them are kept, and grouped by', async () => {
    const texts = [
      'a\u0000b',
      'a\u0000c',
      'a',
      '\ud83d',
      '\u202eevil',
      '<b>',
      "'; DROP TABLE minute; --",
      '',
    ];
    const records = texts.map((host, i) => v1Record(`t${i}`, 2 ** i, { host, process: host, rule: host }));
    await master.post('v1', v1Body(agent, records));
    for (const key of ['host', 'process', 'rule'] as const) {
      const { data } = (await master.get(`/stats?type=group&group_by=${key}&agent_id=${agent}`)).body;
      const sum = data.reduce((total: number, row: { download: number }) => total + row.download, 0);
      expect([key, sum]).toEqual([key, 2 ** texts.length - 1]);
    }
    expect(master.flusher.state.error).toBeNull();
  });

  it('the same record many times in one package counts once', async () => {
    const records = Array.from({ length: 50 }, (_, i) => v1Record('same', 1000 - i));
    await master.post('v1', v1Body(agent, records));
    expect(await downloadOf()).toBe(1000);
  });
});

describe('a bad row of protocol 2 costs itself alone', () => {
  const rows: [string, Record<string, unknown[]>, string][] = [
    ['no array', { samples: ['x', null, 7, {}] }, 'malformed'],
    ['too short', { samples: [[0, MINUTE, 5]] }, 'malformed'],
    ['too long', { samples: [[0, MINUTE, 5, 0, 0, 0, 0, 0]] }, 'malformed'],
    ['a text for a number', { samples: [[0, MINUTE, '5', 0, 0, 0, 0]] }, 'malformed'],
    ['negative', { samples: [[0, MINUTE, -5, 0, 0, 0, 0]] }, 'malformed'],
    ['a fraction', { samples: [[0, MINUTE, 5.5, 0, 0, 0, 0]] }, 'malformed'],
    ['2^53', { samples: [[0, MINUTE, 2 ** 53, 0, 0, 0, 0]] }, 'malformed'],
    ['unknown flags', { samples: [[0, MINUTE, 5, 0, 0, 0, 4]] }, 'malformed'],
    ['no string of that index', { samples: [[999, MINUTE, 5, 0, 0, 0, 0]] }, 'malformed'],
    ['an index beyond all', { samples: [[1_000_001, MINUTE, 5, 0, 0, 0, 0]] }, 'malformed'],
    ['an empty id', { samples: [[1, MINUTE, 5, 0, 0, 0, 0]] }, 'malformed'],
    ['no row of the connection', { samples: [[2, MINUTE, 5, 0, 0, 0, 0]] }, 'unknown-connection'],
    ['more than any line moves', { samples: [[0, MINUTE, 2 ** 46 + 1, 0, 0, 0, 0]] }, 'value-out-of-range'],
    ['minute 0', { samples: [[0, 0, 105, 0, 0, 0, 0]] }, 'value-out-of-range'],
    [
      'a base beyond reason',
      { connections: [connectionRow(2, 1, { base: [MAX, 0] })] },
      'value-out-of-range',
    ],
    ['a text that is not there', { connections: [connectionRow(2, 99)] }, 'malformed'],
    ['an unknown kind', { connections: [connectionRow(2, 1, { counted: 2 as never })] }, 'malformed'],
    ['totals beyond reason', { totals: [[MINUTE, MAX, 0]] }, 'value-out-of-range'],
    ['totals of minute 0', { totals: [[0, 1, 0]] }, 'value-out-of-range'],
    ['an unknown reason', { gaps: [[1, 0, 1, 'lunch']] }, 'malformed'],
    ['a gap to the end of time', { gaps: [[1, 0, MAX, 'stalled']] }, 'value-out-of-range'],
    ['a run at the end of time', { runs: [[1, MAX, 1]] }, 'value-out-of-range'],
    ['a run without a version', { runs: [[1, 5, 99]] }, 'malformed'],
    ['a loss at the end of time', { lost: [[1, 0, MAX, 0, 0, 0, 'disk-budget']] }, 'value-out-of-range'],
    ['a close of nothing', { closed: [[99, 5]] }, 'malformed'],
  ];

  it.each(rows)('%s', async (_name, more, code) => {
    const answer = await master.post('v2', withGood(more, ['other']));
    expect(answer.status).toBe(200);
    expect(answer.body.data.ok).toBe(true);
    const codes = answer.body.data.rejected.map((row: [string, number, string]) => row[2]);
    expect(codes.length).toBeGreaterThan(0);
    expect(new Set(codes)).toEqual(new Set([code]));
    expect(await downloadOf()).toBe(100);
    expect(quarantine()).toEqual(
      answer.body.data.rejected.map((row: [string, number, string]) => [row[0], row[2]]),
    );
  });

  it('a start at the end of time costs the start, not the bytes', async () => {
    const body = withGood(
      { connections: [connectionRow(2, 1, { start: MAX })], samples: [[2, MINUTE, 7, 0, 0, 0, 0]] },
      ['late'],
    );
    expect((await master.post('v2', body)).body.data.rejected).toEqual([]);
    expect(await downloadOf()).toBe(107);
    expect((await master.get(`/connections?agent_id=${agent}`)).status).toBe(200);
  });

  it('a minute in the future is booked now, and a clock at the end of time is shown as far as times go', async () => {
    const body = { ...withGood({}), core: { version: 'v', state: 'down', last_snapshot: MAX }, sent_at: MAX };
    body.samples = [[0, MAX, 100, 0, 0, 0, 0]];
    expect((await master.post('v2', body)).body.data.rejected).toEqual([]);
    const hour = `from=${new Date(Date.now() - 3_600_000).toISOString()}`;
    expect((await master.get(`/stats?type=summary&agent_id=${agent}&${hour}`)).body.data.download).toBe(100);
    expect((await master.get('/agents')).status).toBe(200);
  });

  it('rows that stand twice, in one batch or in two, count once', async () => {
    const body = withGood({
      totals: [
        [MINUTE, 300, 0],
        [MINUTE, 300, 0],
      ],
    });
    body.samples = [
      ...(body.samples as number[][]),
      [0, MINUTE, 100, 0, 0, 0, 0],
      [0, MINUTE, 90, 0, 0, 0, 0],
    ];
    body.connections = [...(body.connections as number[][]), ...(body.connections as number[][])];
    await master.post('v2', body);
    await master.post('v2', { ...body, batch: unique('batch'), prev: body.batch });
    const { data, meta } = (await master.get(`/stats?type=summary&agent_id=${agent}`)).body;
    expect([data.count, data.download, meta.unattributed.download]).toEqual([1, 100, 200]);
  });

  it('one id under two indexes of the string table is one connection', async () => {
    const id = unique('twice');
    const body = v2Body(agent, {
      strings: [id, '', id],
      connections: [connectionRow(0, 1), connectionRow(2, 1)],
      samples: [
        [0, MINUTE, 60, 0, 0, 0, 0],
        [2, MINUTE, 100, 0, 0, 0, 0],
      ],
    });
    await master.post('v2', body);
    expect((await master.get(`/stats?type=summary&agent_id=${agent}`)).body.data).toMatchObject({
      count: 1,
      download: 100,
    });
  });

  it('two ids that a store would make one do not meet', async () => {
    const body = v2Body(agent, {
      strings: ['\ufffd', '', '\ud800'],
      connections: [connectionRow(0, 1), connectionRow(2, 1)],
      samples: [
        [0, MINUTE, 60, 0, 0, 0, 0],
        [2, MINUTE, 100, 0, 0, 0, 0],
      ],
    });
    const { rejected } = (await master.post('v2', body)).body.data;
    expect(rejected.map((row: unknown[]) => row[2])).toEqual(['malformed', 'malformed']);
    expect(await downloadOf()).toBe(60);
  });

  it('a string table of 200,000 entries of which none is used is nothing', async () => {
    const strings = Array.from({ length: 199_000 }, (_, i) => `s${i}`);
    expect((await master.post('v2', withGood({}, strings))).status).toBe(200);
    expect(await downloadOf()).toBe(100);
  });

  it('texts longer than the columns are cut at a whole character', async () => {
    const body = withGood({ connections: [connectionRow(2, 3)], samples: [[2, MINUTE, 1, 0, 0, 0, 0]] }, [
      unique('long'),
      '𝄞'.repeat(4000),
    ]);
    expect((await master.post('v2', body)).body.data.rejected).toEqual([]);
    const { data } = (
      await master.get(`/connections?agent_id=${agent}&host=${encodeURIComponent('𝄞'.repeat(126))}`)
    ).body;
    expect(data).toMatchObject([{ host: '𝄞'.repeat(126), network: '𝄞'.repeat(8) }]);
  });

  it('a chain longer than the column loses its middle: group, exit and route stay', async () => {
    const chains = JSON.stringify([
      'Group',
      ...Array.from({ length: 250 }, (_, i) => `hop ${i} "quoted"`),
      'Exit',
    ]);
    expect(chains.length).toBeGreaterThan(4096);
    await master.post(
      'v2',
      withGood(
        {
          connections: [connectionRow(2, 1, { fields: { chains: 3 } })],
          samples: [[2, MINUTE, 7, 0, 0, 0, 0]],
        },
        [unique('chain'), chains],
      ),
    );
    await master.post('v1', v1Body(agent, [v1Record(unique('chain'), 8, { chains: JSON.parse(chains) })]));
    for (const [key, value] of [
      ['group', 'Group'],
      ['node', 'Exit'],
      ['route', 'proxied'],
    ]) {
      const { data } = (await master.get(`/stats?type=summary&agent_id=${agent}&${key}=${value}`)).body;
      expect([key, data.download]).toEqual([key, 15]);
    }
    const { data } = (await master.get(`/connections?agent_id=${agent}&node=Exit`)).body;
    for (const { chains: kept } of data) expect(kept.length).toBeLessThanOrEqual(4096);
  });

  it.each([
    ['brackets in a string', '['.repeat(100_000)],
    ['millions of elements', `[${'"",'.repeat(500_000)}""]`],
    ['a list that is nested', `[${'['.repeat(20_000)}${']'.repeat(20_000)},"x"]`],
  ])('a chain that is meant to hurt is cut: %s', async (_name, chains) => {
    const answer = await master.post('v1', v1Body(agent, [v1Record(unique('chain'), 5, { chains })]));
    expect(answer.status).toBe(200);
    expect((await master.get(`/stats?type=summary&agent_id=${agent}`)).body.data.download).toBe(5);
  });

  it('quarantine keeps what was refused, cut and counted', async () => {
    await master.post('v2', withGood({ samples: [['x'.repeat(1_000_000)]] }));
    const row = db.prepare('SELECT row FROM quarantine WHERE agent_id = ?').get(agent) as { row: string };
    expect(row.row).toHaveLength(4000);
  });
});
