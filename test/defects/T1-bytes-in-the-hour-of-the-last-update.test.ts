// The original's series put the absolute counter into the hour of `last_updated`: of a download of nine hours, all 36 GB stood in
// the last one, and the hours before were empty again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedCore } from '../../src/simulator/core.ts';
import { v1Body, v1Record } from '../support/bodies.ts';
import { TestDirectory } from '../support/directory.ts';
import { JournalAgent } from '../support/journal-agent.ts';
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

const HOUR = 3_600_000;
/** Half past, ten hours and more ago: the first hour has half the bytes. */
const START = Math.floor((Date.now() - 11 * HOUR) / HOUR) * HOUR + HOUR / 2;
const MINUTE_BYTES = 60_000_000;

async function hours(query: string): Promise<number[]> {
  const { body } = await master.get(
    `/stats?type=timeseries&interval=hour&metric=download&from=${new Date(START).toISOString()}&${query}`,
  );
  return body.data.map((point: { value: number }) => point.value);
}

describe('T1: bytes lie in the hours in which they moved', () => {
  it('a download of nine hours is seen in each of them, and the past does not change', async () => {
    let now = START;
    const core = new SimulatedCore({ startAt: START, profile: null });
    const agent = new JournalAgent({
      path: directory.file('agent.db'),
      agentId: 'router',
      core,
      transport: master.transport(),
      wall: () => now,
    });
    agent.look();
    const id = core.open({ host: 'big.example' });
    let early: number[] = [];
    for (let minute = 0; minute < 9 * 60; minute++) {
      core.move(id, MINUTE_BYTES, 0);
      now += 60_000;
      core.advance(60_000);
      agent.look();
      if (minute !== 119) continue;
      await agent.deliver();
      early = await hours('agent_id=router');
    }
    await agent.deliver();
    agent.close();
    const values = await hours('agent_id=router');
    const full = 60 * MINUTE_BYTES;
    expect(values.slice(0, 10)).toEqual([full / 2, ...Array(8).fill(full), full / 2]);
    expect(early.slice(0, 2)).toEqual(values.slice(0, 2));
    const { data } = (await master.get('/stats?type=summary&agent_id=router')).body;
    expect(data).toMatchObject({ count: 1, download: 9 * full });
  });

  it('reports of an agent of the original are told apart too, as far as it reports', async () => {
    for (let hour = 0; hour < 9; hour++) {
      const last_updated = new Date(START + hour * HOUR).toISOString();
      await master.post('v1', v1Body('old', [v1Record('c', (hour + 1) * 1000, { last_updated })]));
    }
    expect((await hours('agent_id=old')).slice(0, 9)).toEqual(Array(9).fill(1000));
  });

  it('a range holds only the bytes inside it', async () => {
    const from = new Date(START + 2 * HOUR).toISOString();
    const to = new Date(START + 4 * HOUR).toISOString();
    const { data } = (await master.get(`/stats?type=summary&agent_id=router&from=${from}&to=${to}`)).body;
    expect(data).toMatchObject({ count: 1, download: 120 * MINUTE_BYTES });
  });
});
