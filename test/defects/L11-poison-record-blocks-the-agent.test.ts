// Any answer but success ended a sync of the original, and the same oldest 1,000 rows were tried for ever: one record that
// its master could not read, or a line too slow for a batch within ten seconds, stopped an agent for good.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { timeoutFor } from '../../src/agent/sync/transport.ts';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

const ROWS = 1500;

describe('L11: one record never holds up the others', () => {
  it.each([400, 415, 422])(
    'a master that answers %d to whatever holds one record gets all the others',
    async (status) => {
      all.agent.look();
      const ids = all.open(ROWS, 1000);
      const poison = ids[777] ?? '';
      all.watch();
      all.master.fault = (_request, _path, body) => (body.includes(poison) ? { status } : 'none');
      // Each refusal costs a request, and halves what is sent: it is found by bisection.
      for (let i = 0; i < 400 && all.agent.engine.backlog() > 0; i++) await all.agent.step();
      const booked = all.booked();
      expect(booked.has(poison)).toBe(false);
      expect(booked.size).toBe(ROWS - 1);
      const quarantine = all.agent.journal.db.prepare('SELECT row FROM quarantine').all() as {
        row: string;
      }[];
      expect(quarantine.some(({ row }) => row.includes(poison))).toBe(true);
      // It goes on with what comes afterwards.
      const [later = ''] = all.open(1, 5);
      all.watch();
      await all.agent.step();
      await all.agent.step();
      expect(all.booked().get(later)).toBe(5);
    },
  );

  it('a row that the master refuses by itself is put aside, in the same answer', async () => {
    all.agent.look();
    const ids = all.open(10, 1000);
    all.watch();
    all.agent.journal.db
      .prepare('UPDATE samples SET down = ? WHERE conn = (SELECT key FROM connections WHERE id = ?)')
      .run(Number.MAX_SAFE_INTEGER, ids[3] ?? '');
    await all.agent.deliver();
    expect(all.booked().size).toBe(9);
    const quarantine = all.agent.journal.db.prepare('SELECT what, code FROM quarantine').all();
    expect(quarantine).toEqual([{ what: 'samples', code: 'value-out-of-range' }]);
  });

  it('batches that are too large for the master, or a proxy before it, become smaller', async () => {
    all.agent.look();
    const ids = all.open(ROWS, 1000);
    all.watch();
    all.master.fault = (_request, _path, body) => (body.length > 20_000 ? { status: 413 } : 'none');
    await all.agent.deliver();
    expect(all.booked().size).toBe(ids.length);
    expect(all.agent.journal.db.prepare('SELECT count(*) AS n FROM quarantine').get()).toEqual({ n: 0 });
  });

  it.each([408, 425, 429, 500, 502, 503, 504, 302])(
    '%d says nothing about the data: all is kept',
    async (status) => {
      all.agent.look();
      const ids = all.open(20, 1000);
      all.watch();
      all.master.fault = () => ({ status });
      for (let i = 0; i < 10; i++) expect((await all.agent.step()).kind).toBe('after');
      all.master.fault = () => 'none';
      await all.agent.deliver();
      expect(all.booked().size).toBe(ids.length);
    },
  );

  it('a line of 128 kbit/s gets its time for a whole batch', () => {
    const megabyte = 1_000_000;
    expect(timeoutFor(megabyte)).toBeGreaterThan((megabyte * 8) / 128);
    expect(timeoutFor(1000)).toBeLessThan(20_000);
  });
});
