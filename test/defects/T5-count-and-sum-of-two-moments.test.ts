// The original asked for the count and for the sums in two statements without a transaction: while agents synced, an answer
// held the count of one moment and the bytes of another.
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

describe('T5: an answer is of one moment', () => {
  it('count and bytes belong together, while packages arrive', async () => {
    let answers = 0;
    let packages = 0;
    let delivered = false;
    const deliver = async () => {
      while (answers < 6) {
        const i = packages++;
        const records = Array.from({ length: 25 }, (_, k) =>
          v1Record(`c${i}-${k}`, 7, { host: `h${k % 3}` }),
        );
        await master.post('v1', v1Body('router', records));
        void master.flusher.drain();
      }
      delivered = true;
    };
    const work = deliver();
    while (!delivered) {
      const { data } = (await master.get('/stats?type=summary')).body;
      expect(data.download).toBe(data.count * 7);
      const groups = (await master.get('/stats?type=group&group_by=host')).body.data;
      for (const row of groups) expect(row.download).toBe(row.count * 7);
      answers++;
    }
    await work;
    const { data } = (await master.get('/stats?type=summary')).body;
    expect([data.count, data.download]).toEqual([packages * 25, packages * 25 * 7]);
  });
});
