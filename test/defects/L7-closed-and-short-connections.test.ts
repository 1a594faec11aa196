// The original read neither the core's totals nor wrote that a connection had closed: bytes after the last snapshot that
// listed a connection, and connections between two snapshots, vanished without a trace.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

describe('L7: what no snapshot showed is known to have been', () => {
  it('bytes after the last look and connections between two looks are unattributed, to the byte', async () => {
    all.agent.look();
    const [id = ''] = all.open(1, 1000);
    all.watch();
    all.core.close(id, { lateDownload: 222, lateUpload: 22 });
    all.core.open({ host: 'short.example' }, { download: 5000, upload: 50, listed: false });
    all.watch();
    await all.agent.deliver();
    expect(all.sum(0)).toEqual({ download: 1000, upload: 0 });
    expect(all.sum(2)).toEqual({ download: 5222, upload: 72 });
    const { downloadTotal, uploadTotal } = all.core.totals;
    expect([downloadTotal, uploadTotal]).toEqual([6222, 72]);
  });

  it('a connection that is no longer listed is closed, then, on agent and master', async () => {
    all.agent.look();
    const [gone = '', stays = ''] = all.open(2, 1000);
    all.watch();
    all.core.close(gone);
    all.watch();
    const closedAt = all.now;
    // Idle for hours is not closed.
    for (let hour = 0; hour < 5; hour++) all.watch(3_600_000);
    await all.agent.deliver();
    const rows = all.master.merger.db.prepare('SELECT id, closed_at FROM connections').all();
    expect(rows).toEqual(
      expect.arrayContaining([
        { id: gone, closed_at: closedAt },
        { id: stays, closed_at: null },
      ]),
    );
  });

  it('what moved while the agent was not there is booked as recovered, and the time is a gap', async () => {
    all.agent.look();
    const [id = ''] = all.open(1, 1000);
    all.watch();
    all.pass(600_000);
    all.core.move(id, 500, 0);
    all.restart();
    all.watch();
    await all.agent.deliver();
    const { recovered } = all.master.merger.db
      .prepare('SELECT total(down) AS recovered FROM pending_facts WHERE recovered = 1')
      .get() as { recovered: number };
    expect([all.booked().get(id), recovered]).toEqual([1500, 500]);
    const gaps = all.master.merger.db.prepare('SELECT reason, to_ms - from_ms AS ms FROM gaps').all();
    expect(gaps).toEqual([{ reason: 'tracker-down', ms: 601_000 }]);
  });
});
