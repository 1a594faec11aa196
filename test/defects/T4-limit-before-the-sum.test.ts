// The original cut groups by chain before it summed them by node: of 30 chains that end in one node, `limit=10` showed a third.
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

describe('T4: a limit cuts groups that are complete', () => {
  it('30 chains that end in HK are one node, whatever the limit', async () => {
    const chains = Array.from({ length: 30 }, (_, i) =>
      v1Record(`hk${i}`, 100, { chains: JSON.stringify([`Group ${i}`, 'HK']) }),
    );
    const others = Array.from({ length: 5 }, (_, i) =>
      v1Record(`o${i}`, 10, { chains: JSON.stringify(['Group', `Node ${i}`]) }),
    );
    await master.post('v1', v1Body('router', [...chains, ...others]));
    for (const limit of [1, 10, 1000]) {
      const { data } = (await master.get(`/stats?type=group&group_by=chains&sort_by=download&limit=${limit}`))
        .body;
      expect(data[0]).toMatchObject({ node: 'HK', count: 30, download: 3000 });
    }
  });

  it('what a limit cuts off is told, and adds up', async () => {
    const { data, meta } = (await master.get('/stats?type=group&group_by=chains&sort_by=download&limit=2'))
      .body;
    expect(data).toHaveLength(2);
    expect(meta.other).toMatchObject({ groups: 4, count: 4, download: 40 });
    const summary = (await master.get('/stats?type=summary')).body.data;
    expect(data[0].download + data[1].download + meta.other.download).toBe(summary.download);
  });
});
