// The original compared times as text: `from=2026-07-01T08:30:00+08:00` matched nothing where the same instant written with Z
// matched, and its cleanup compared `+08:00` with UTC as well.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { v1Body, v1Record } from '../support/bodies.ts';
import { TestDirectory } from '../support/directory.ts';
import { WholeMaster } from '../support/whole-master.ts';

const directory = new TestDirectory();
let master: WholeMaster;
beforeAll(async () => {
  master = await new WholeMaster(directory.path).start();
});
afterAll(async () => {
  await master.stop();
  directory.remove();
});

describe('T3: an instant is one, however it is written', () => {
  const SAME = [
    '2026-07-01T00:30:00Z',
    '2026-07-01T08:30:00+08:00',
    '2026-06-30T17:00:00-07:30',
    '2026-07-01T00:30:00.000000+00:00',
    '2026-07-01t00:30z',
  ];

  it('in questions', async () => {
    const record = (id: string, minute: number) =>
      v1Record(id, 100, {
        start: `2026-07-01T00:${minute}:00Z`,
        last_updated: `2026-07-01T00:${minute}:30+00:00`,
      });
    await master.post('v1', v1Body('asked', [record('before', 29), record('after', 31)]));
    for (const at of SAME) {
      const text = encodeURIComponent(at);
      for (const [bound, id] of [
        ['from', 'after'],
        ['to', 'before'],
      ]) {
        const list = (await master.get(`/connections?agent_id=asked&${bound}=${text}`)).body;
        // v1 connections are taken for open until a day has passed; these are not listed before they began.
        expect(list.data.map((row: { id: string }) => row.id)).toContain(id);
        const { data } = (await master.get(`/stats?type=summary&agent_id=asked&${bound}=${text}`)).body;
        expect([at, bound, data.count, data.download]).toEqual([at, bound, 1, 100]);
      }
    }
  });

  it('in records', async () => {
    const records = SAME.slice(0, 4).map((last_updated, i) =>
      v1Record(`r${i}`, 100, { last_updated, start: last_updated }),
    );
    await master.post('v1', v1Body('written', records));
    const { data } = (await master.get('/connections?agent_id=written')).body;
    const times = new Set(
      data.map((row: { start: string; last_updated: string }) => `${row.start} ${row.last_updated}`),
    );
    expect(times).toEqual(new Set(['2026-07-01T00:30:00.000Z 2026-07-01T00:30:00.000Z']));
    const series = await master.get(
      '/stats?type=timeseries&interval=minute&metric=download&agent_id=written&from=2026-07-01T00:29:00Z&to=2026-07-01T00:32:00Z',
    );
    expect(series.body.data.map((point: { value: number }) => point.value)).toEqual([0, 400, 0]);
  });

  it('a time without a zone is read in that of the question, and never in the machine’s', async () => {
    await master.post('v1', v1Body('local', [v1Record('l', 100, { last_updated: '2026-07-02T00:30:00Z' })]));
    for (const [from, tz, download] of [
      ['2026-07-02T00:30:00', 'UTC', 100],
      ['2026-07-02T00:31:00', 'UTC', 0],
      ['2026-07-02T04:00:00', 'Asia/Tehran', 100],
      ['2026-07-02T04:01:00', 'Asia/Tehran', 0],
      ['2026-07-02', 'America/New_York', 0],
    ] as const) {
      const { data } = (
        await master.get(`/stats?type=summary&agent_id=local&from=${from}&to=2026-07-03T00:00:00Z&tz=${tz}`)
      ).body;
      expect([from, tz, data.download]).toEqual([from, tz, download]);
    }
  });

  it('what is no time is refused', async () => {
    for (const at of ['2026-07-01 00:30:00Z', '1782865800', '2026-02-30T00:00:00Z']) {
      const answer = await master.get(`/stats?type=summary&from=${encodeURIComponent(at)}`);
      expect([at, answer.status, answer.body.details?.[0]?.field]).toEqual([at, 400, 'from']);
    }
  });
});
