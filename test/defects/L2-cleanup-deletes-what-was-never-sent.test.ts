// The original's cleanup trusted the same cursor as its sync: rows that were skipped, once older than the retention, were
// deleted on the agent too, after failed batches as well.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

const DAY = 86_400_000;

describe('L2: retention deletes nothing that was not acknowledged', () => {
  it('a month without a master, with cleanup every day', async () => {
    all.agent.look();
    all.master.fault = () => 'lost';
    const ids = all.open(400, 1000);
    all.watch();
    all.core.closeAll();
    all.watch();
    for (let day = 0; day < 30; day++) {
      all.watch(DAY);
      await all.agent.step();
      all.agent.recorder.housekeep();
    }
    all.master.fault = () => 'none';
    await all.agent.deliver();
    expect(all.booked()).toEqual(new Map(ids.map((id) => [id, 1000])));
  });

  it('what was acknowledged goes, and only that', async () => {
    all.agent.look();
    const [delivered = ''] = all.open(1, 1000);
    all.watch();
    all.core.close(delivered);
    all.watch();
    await all.agent.deliver();
    all.master.fault = () => 'lost';
    const [waiting = ''] = all.open(1, 2000);
    all.watch();
    all.core.close(waiting);
    all.watch();
    await all.agent.step();
    all.watch(8 * DAY);
    all.agent.recorder.housekeep();
    const kept = all.agent.journal.db.prepare('SELECT id FROM connections').all();
    expect(kept).toEqual([{ id: waiting }]);
    all.master.fault = () => 'none';
    await all.agent.deliver();
    expect(all.booked()).toEqual(
      new Map([
        [delivered, 1000],
        [waiting, 2000],
      ]),
    );
  });
});
