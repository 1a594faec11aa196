// A row of the original's agent that changed between the choice of a batch and the update of the cursor fell below that
// cursor: the last update of a connection that arrived during the request was never sent.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

describe('L3: a change while the request is under way is delivered by the next', () => {
  it.each(['none', 'answer-lost'] as const)('the answer comes: %s', async (outcome) => {
    all.agent.look();
    const [id = ''] = all.open(1, 100);
    all.watch();
    all.master.fault = (request) => {
      if (request > 0) return 'none';
      // The request has left; its answer is not there yet.
      all.core.move(id, 999_899, 0);
      all.watch();
      all.core.close(id);
      all.watch();
      return outcome;
    };
    await all.agent.step();
    expect(all.booked().get(id)).toBe(100);
    await all.agent.deliver();
    expect(all.booked().get(id)).toBe(999_999);
    const row = all.master.merger.db.prepare('SELECT closed_at FROM connections WHERE id = ?').get(id);
    expect(row).toEqual({ closed_at: all.now });
  });

  it('within one minute, where the very row that is being sent is overwritten', async () => {
    all.agent.look();
    const [id = ''] = all.open(1, 1);
    all.watch(10);
    all.master.fault = () => {
      all.core.move(id, 10, 0);
      all.watch(10);
      return 'none';
    };
    for (let i = 0; i < 5; i++) await all.agent.step();
    all.master.fault = () => 'none';
    await all.agent.deliver();
    expect(all.booked().get(id)).toBe(51);
  });
});
