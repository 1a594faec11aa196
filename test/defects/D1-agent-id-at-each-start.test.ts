// Without `--agent-id` the original made a new one at each start: a connection that lived through a restart stood under
// both, 2.2 GB for 1.2 GB.
import { afterEach, expect, it } from 'vitest';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
afterEach(() => all.close());

it('D1: a connection that lives through restarts of the agent is one, under one id', async () => {
  all = new AgentAndMaster({ agentId: undefined });
  const { agentId } = all.agent.journal;
  all.agent.look();
  const [id = ''] = all.open(1, 1_000_000_000);
  all.watch();
  await all.agent.deliver();
  for (let restart = 0; restart < 3; restart++) {
    all.restart();
    all.core.move(id, 100_000_000, 0);
    all.watch();
    await all.agent.deliver();
    expect(all.agent.journal.agentId).toBe(agentId);
  }
  expect(all.booked()).toEqual(new Map([[id, 1_300_000_000]]));
  const agents = all.master.merger.db.prepare('SELECT agent_id FROM agents').all();
  expect(agents).toEqual([{ agent_id: agentId }]);
  expect(all.sum(0).download).toBe(1_300_000_000);
});
