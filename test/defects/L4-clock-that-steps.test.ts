// Cursor and rows of the original were compared by wall clock: after a step back of two hours none of 500 new rows was
// pending until the clock had passed the old cursor, and a clock in the future blocked sync for as long.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

const HOUR = 3_600_000;

describe('L4: no time is a cursor', () => {
  it('the clock steps back two hours after a sync', async () => {
    all.agent.look();
    all.open(500, 10);
    all.watch();
    await all.agent.deliver();
    all.skewMs = -2 * HOUR;
    const ids = all.open(500, 1000);
    all.watch();
    await all.agent.deliver();
    const booked = all.booked();
    expect(ids.filter((id) => booked.get(id) === 1000)).toHaveLength(500);
  });

  it('the clock was five years ahead, and is set right', async () => {
    all.skewMs = 5 * 365 * 24 * HOUR;
    all.agent.look();
    const early = all.open(300, 10);
    all.watch();
    await all.agent.deliver();
    all.skewMs = 0;
    const late = all.open(300, 1000);
    all.watch();
    await all.agent.deliver();
    const booked = all.booked();
    expect(early.filter((id) => booked.get(id) === 10)).toHaveLength(300);
    expect(late.filter((id) => booked.get(id) === 1000)).toHaveLength(300);
    // And nothing lies in a future that has not come.
    const { last } = all.master.merger.db.prepare('SELECT max(bucket) AS last FROM pending_facts').get() as {
      last: number;
    };
    expect(last).toBeLessThanOrEqual(all.now / 60_000 + 10);
  });

  it('a router without a clock begins in 1970, and learns the time on the way', async () => {
    all.skewMs = -all.now + 60_000;
    all.restart();
    all.agent.look();
    const ids = all.open(300, 10);
    all.watch();
    await all.agent.deliver();
    all.skewMs = 0;
    for (const id of ids) all.core.move(id, 5, 0);
    all.watch();
    await all.agent.deliver();
    expect(all.booked()).toEqual(new Map(ids.map((id) => [id, 15])));
  });
});
