// The original's agent set its cursor to "now" after the first batch of 1,000 rows: of 2,500 rows that had waited out an
// outage, 1,500 were never sent. An agent that was given a master for the first time lost all but 1,000.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

const ROWS = 2500;

describe('L1: whatever waits is delivered', () => {
  it('2,500 connections after an outage of the master', async () => {
    all.agent.look();
    all.watch();
    await all.agent.deliver();
    all.master.fault = () => 'lost';
    const ids = all.open(ROWS, 1000);
    all.watch();
    expect((await all.agent.step()).kind).toBe('after');
    all.master.fault = () => 'none';
    await all.agent.deliver();
    expect(all.booked()).toEqual(new Map(ids.map((id) => [id, 1000])));
    expect(all.agent.engine.backlog()).toBe(0);
  });

  it('everything that an agent recorded before it had a master', async () => {
    all.agent.look();
    const expected = new Map<string, number>();
    for (let minute = 0; minute < 6; minute++) {
      for (const id of all.open(500, 1000 + minute)) expected.set(id, 1000 + minute);
      all.watch(60_000);
      all.core.closeAll();
      all.watch();
    }
    await all.agent.deliver();
    expect(all.booked()).toEqual(expected);
  });

  it('when every second answer gets lost on the way', async () => {
    all.agent.look();
    const ids = all.open(ROWS, 1000);
    all.watch();
    all.master.fault = (request) => (request % 2 === 0 ? 'answer-lost' : 'none');
    for (let i = 0; i < 40; i++) await all.agent.step();
    expect(all.agent.engine.backlog()).toBe(0);
    expect(all.booked()).toEqual(new Map(ids.map((id) => [id, 1000])));
    expect(all.sum(0)).toEqual({ download: ROWS * 1000, upload: 0 });
  });
});
