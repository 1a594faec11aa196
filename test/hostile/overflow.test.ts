import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionRow, unique, v1Body, v1Record, v2Body } from '../support/bodies.ts';
import { DirectMaster } from '../support/direct-master.ts';
import { TestDirectory } from '../support/directory.ts';
import { WholeMaster } from '../support/whole-master.ts';

/** The largest counter that is taken. A thousand of them are beyond what a JSON number holds exactly. */
const MOST = 2 ** 46;
const LIMIT = Number.MAX_SAFE_INTEGER;
const MINUTE = Math.floor(Date.now() / 60_000) - 5;

const directory = new TestDirectory();
let master: WholeMaster;
beforeAll(async () => {
  master = await new WholeMaster(directory.path).start();
  await master.post(
    'v1',
    v1Body('good', [
      v1Record('kept', 1000, { host: 'kept.example', last_updated: new Date().toISOString() }),
    ]),
  );
});
afterAll(async () => {
  await master.stop();
  directory.remove();
});

/** Every question is answered, and the good agent's answers are exact. */
async function stillWell(): Promise<void> {
  const questions = [
    '/stats?type=summary',
    '/stats?type=group&group_by=host',
    '/stats?type=group&group_by=host&limit=1&sort_by=total',
    '/stats?type=timeseries&interval=hour&metric=total',
    '/filter-options?filter_type=host',
    '/agents',
    '/agents/poison/status',
    '/verify',
    '/verify?group=range',
    '/connections?sort_by=total',
  ];
  for (const question of questions) {
    expect([question, (await master.get(question)).status]).toEqual([question, 200]);
  }
  expect(master.flusher.state.error).toBeNull();
  const good = (await master.get('/stats?type=summary&agent_id=good')).body;
  expect([good.data.download, good.meta.cut]).toEqual([1000, false]);
}

describe('counters at the accepted maximum', () => {
  it('never make a statistic fail: what cannot be exact is cut and says so, the rest is exact', async () => {
    const ids = Array.from({ length: 2400 }, () => unique('big'));
    const answer = await master.post(
      'v2',
      v2Body('poison', {
        strings: ['', 'big.example', ...ids],
        connections: ids.map((_, i) => connectionRow(i + 2, 0, { fields: { host: 1 } })),
        samples: ids.map((_, i) => [i + 2, MINUTE, MOST, MOST, 0, 0, 0]),
      }),
    );
    expect(answer.body.data.rejected).toEqual([]);
    const summary = (await master.get('/stats?type=summary')).body;
    expect([summary.data.count, summary.data.download, summary.meta.cut]).toEqual([2401, LIMIT, true]);
    const groups = (await master.get('/stats?type=group&group_by=host')).body;
    expect(groups.meta.cut).toBe(true);
    expect(groups.data).toContainEqual(expect.objectContaining({ host: 'kept.example', download: 1000 }));
    expect(groups.data).toContainEqual(expect.objectContaining({ host: 'big.example', download: LIMIT }));
    const agents = (await master.get('/agents')).body.data;
    const poison = agents.find((row: { agent_id: string }) => row.agent_id === 'poison');
    expect([poison.total_download, poison.total_upload, poison.total_traffic]).toEqual([LIMIT, LIMIT, LIMIT]);
    await stillWell();
  });

  it('not by totals of stream after stream, not by losses, not by the original’s wire', async () => {
    const steps = Array.from({ length: 128 }, (_, i) => [MINUTE, Math.min((i + 1) * MOST, LIMIT), 0]);
    for (let stream = 0; stream < 40; stream++) {
      const { body } = await master.post('v2', v2Body('poison', { totals: steps }));
      expect(body.data.rejected).toHaveLength(127);
    }
    const losses = Array.from({ length: 2000 }, (_, i) => [
      i,
      0,
      Date.now(),
      LIMIT,
      LIMIT,
      LIMIT,
      'disk-budget',
    ]);
    await master.post('v2', v2Body('poison', { lost: losses }));
    const records = Array.from({ length: 5000 }, () => v1Record(unique('v1'), MOST, { upload: MOST }));
    expect((await master.post('v1', v1Body('poison', records))).status).toBe(200);
    await stillWell();
    // Once more, after the lots above were sealed and carried over.
    await master.post('v2', v2Body('poison', { totals: [[MINUTE, 1, 0]] }));
    await stillWell();
  });

  it('facts that sum to more than 64 bits are sealed all the same', () => {
    const direct = new DirectMaster(directory.file('direct.db'), Date.now);
    const insert = direct.merger.db.prepare(
      `INSERT INTO pending_facts (conn, kind, bucket, prev, recovered, down, up, conns, agent_id)
       VALUES (0, 2, ?, 0, 0, ?, ?, 0, 'poison')`,
    );
    for (let i = 0; i < 4; i++) insert.run(MINUTE, 2n ** 62n, -(2n ** 62n));
    direct.merger.seal();
    const lot = direct.merger.db.prepare('SELECT rows, down, up FROM lots').get();
    expect(lot).toEqual({ rows: 4, down: LIMIT, up: -LIMIT });
    direct.close();
  });
});
