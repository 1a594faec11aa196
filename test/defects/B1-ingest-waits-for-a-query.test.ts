// The original's database used a rollback journal: while the dashboard read for seven seconds, every sync waited five, and then
// failed with 500.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openReader } from '../../src/common/sqlite.ts';
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

describe('B1: nobody who reads holds up who writes', () => {
  it('syncs go on while another program reads the records, without end', async () => {
    await master.post('v1', v1Body('router', [v1Record('first', 1)]));
    const reader = openReader(directory.file('master.db'));
    const rows = reader.prepare('SELECT a.id FROM connections a, connections b, connections c').iterate();
    expect(rows.next().done).toBe(false);
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const began = performance.now();
      const answer = await master.post('v1', v1Body('router', [v1Record(`c${i}`, 100)]));
      expect(answer.status).toBe(200);
      times.push(performance.now() - began);
    }
    rows.return?.();
    reader.close();
    // The original took 5,011 ms for each, and failed.
    expect(Math.max(...times)).toBeLessThan(2500);
    expect((await master.get('/stats?type=summary')).body.data).toMatchObject({ count: 21, download: 2001 });
  });

  it('questions are answered while packages are merged', async () => {
    const records = (batch: number) => Array.from({ length: 5000 }, (_, i) => v1Record(`b${batch}-${i}`, 1));
    const work = Promise.all([1, 2].map((batch) => master.post('v1', v1Body('busy', records(batch)))));
    const answers = await Promise.all(
      ['/connections?limit=10', '/agents', '/ready'].map((path) => master.get(path)),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    for (const answer of await work) expect(answer.status).toBe(200);
    expect((await master.get('/stats?type=summary&agent_id=busy')).body.data.count).toBe(10_000);
  });
});
