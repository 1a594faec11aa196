// The original marked a change as seen before it was written, and only printed the error of a write: after a busy or full
// disk the change was never tried again, because the next snapshot was equal to what it remembered.
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

describe('L6: what could not be written is written later', () => {
  it('a change that came while another program held the file, and nothing after it', async () => {
    all.agent.look();
    const [id = ''] = all.open(1, 100);
    all.watch();
    all.agent.journal.db.pragma('busy_timeout = 20');
    const other = new Database(all.directory.file('agent.db'));
    other.exec('BEGIN IMMEDIATE');
    all.core.move(id, 900, 0);
    const [opened = ''] = all.open(1, 50);
    all.pass(1000);
    all.agent.see(all.core.frameBytes());
    expect(all.agent.recorder.flush()).toBe(false);
    // The next snapshots are the same as this one.
    for (let i = 0; i < 3; i++) {
      all.pass(1000);
      all.agent.see(all.core.frameBytes());
      expect(all.agent.recorder.flush()).toBe(false);
    }
    other.exec('ROLLBACK');
    other.close();
    expect(all.agent.recorder.flush()).toBe(true);
    expect(all.agent.recorder.metrics.flushFailures).toBe(4);
    all.restart();
    await all.agent.deliver();
    expect(all.booked()).toEqual(
      new Map([
        [id, 1000],
        [opened, 50],
      ]),
    );
    expect(all.sum(2).download).toBe(0);
  });

  it('a disk that is full: the connection that closed meanwhile is not forgotten', async () => {
    all.agent.look();
    const { db } = all.agent.journal;
    const [id = ''] = all.open(1, 100);
    all.watch();
    const pages = db.pragma('page_count', { simple: true }) as number;
    db.pragma(`max_page_count = ${pages}`);
    const ids = all.open(400, 70);
    all.core.move(id, 11, 0);
    all.pass(1000);
    all.agent.see(all.core.frameBytes());
    expect(all.agent.recorder.flush()).toBe(false);
    all.core.closeAll();
    all.pass(1000);
    all.agent.see(all.core.frameBytes());
    expect(all.agent.recorder.flush()).toBe(false);
    db.pragma('max_page_count = 100000');
    expect(all.agent.recorder.flush()).toBe(true);
    await all.agent.deliver();
    expect(all.booked()).toEqual(new Map([[id, 111] as const, ...ids.map((i) => [i, 70] as const)]));
  });
});
