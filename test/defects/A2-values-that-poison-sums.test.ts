// The original validated no value: one row of 2^63 − 1 made every sum fail with "integer overflow", all statistics 500 for ever;
// negative counters were summed as well.
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

describe('A2: a counter is a counter, or is put aside', () => {
  it('2^63 − 1 and negative counters do not reach a sum', async () => {
    const body = `{"agent_id":"mixed","connections":[
      {"id":"good","download":100,"upload":10,"last_updated":"2026-07-01T12:00:00Z"},
      {"id":"huge","download":9223372036854775807,"upload":0,"last_updated":"2026-07-01T12:00:00Z"},
      {"id":"less","download":-4100,"upload":0,"last_updated":"2026-07-01T12:00:00Z"},
      {"id":"half","download":0.5,"upload":0,"last_updated":"2026-07-01T12:00:00Z"}
    ],"timestamp":"2026-07-01T12:00:00Z"}`;
    expect((await master.postRaw('v1', body)).status).toBe(200);
    const { data } = (await master.get('/stats?type=summary')).body;
    expect(data).toEqual({ count: 1, download: 100, upload: 10, total: 110 });
    const list = (await master.get('/connections')).body.data;
    expect(list.map((row: { id: string }) => row.id)).toEqual(['good']);
  });

  it('many at the largest that is taken leave every statistic answering, and others exact', async () => {
    const records = Array.from({ length: 1000 }, (_, i) =>
      v1Record(`m${i}`, 2 ** 46, { host: 'poison.example' }),
    );
    await master.post('v1', v1Body('poison', records));
    for (const question of ['type=summary', 'type=group&group_by=host', 'type=timeseries&metric=total']) {
      const answer = await master.get(`/stats?${question}`);
      expect([question, answer.status, answer.body.meta.cut]).toEqual([question, 200, true]);
    }
    const { body } = await master.get('/stats?type=summary&agent_id=mixed');
    expect([body.data.download, body.meta.cut]).toEqual([100, false]);
  });
});
