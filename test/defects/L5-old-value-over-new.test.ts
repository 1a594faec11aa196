// Every snapshot of the original was written by a task of its own, and the upsert overwrote unconditionally: two tasks
// that committed out of order left 4,000 where 5,000 was true, for good if the connection then closed.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

describe('L5: a value once known is never replaced by an older one', () => {
  it('in the journal, however often is written between snapshots', async () => {
    all.agent.look();
    const [id = ''] = all.open(1, 0);
    let written = 0;
    for (let i = 1; i <= 200; i++) {
      all.core.move(id, i, 0);
      all.pass(250);
      all.agent.see(all.core.frameBytes());
      if (i % 7 === 0) {
        all.agent.recorder.flush();
        const { down } = all.agent.journal.db.prepare('SELECT max(down) AS down FROM samples').get() as {
          down: number;
        };
        expect(down).toBeGreaterThan(written);
        written = down;
      }
    }
    all.core.close(id);
    all.watch();
    await all.agent.deliver();
    expect(all.booked().get(id)).toBe((200 * 201) / 2);
  });

  it('on the master, when deliveries arrive out of order, by either protocol', async () => {
    all.agent.look();
    const [id = ''] = all.open(1, 0);
    const bodies: [string, string][] = [];
    all.master.fault = (_request, path, body) => {
      bodies.push([path, body]);
      return 'lost';
    };
    for (const grown of [4000, 1000]) {
      all.core.move(id, grown, 0);
      all.watch();
      await all.agent.step();
    }
    const v1 = (download: number) => {
      const connections = [{ id, download, last_updated: new Date(all.now).toISOString() }];
      return JSON.stringify({ agent_id: 'router', connections, timestamp: '' });
    };
    for (const [path, body] of bodies.reverse()) all.master.deliver(path, body);
    all.master.deliver('/api/v1/sync', v1(4000));
    all.master.deliver('/api/v1/sync', v1(100));
    expect(all.booked().get(id)).toBe(5000);
    all.master.fault = () => 'none';
    await all.agent.deliver();
    expect(all.booked().get(id)).toBe(5000);
    expect(all.sum(0).download).toBe(5000);
  });
});
