// A core lists dialer-proxy hops and DNS over a proxy as connections of their own, which its totals leave out for they repeat
// bytes of others; the original summed them like all others, and showed more than the core itself.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

describe('D4: bytes that are listed twice are counted once', () => {
  it('a hop is in the list, and in no sum', async () => {
    all.agent.look();
    const [id = ''] = all.open(1, 0, { chains: ['exit', 'Proxy'] });
    const hop = all.core.open(
      { type: 'Inner', process: '', host: 'exit.example', chains: ['hop'] },
      { mirrors: id },
    );
    all.core.move(id, 64_000, 640);
    all.watch();
    all.core.move(id, 64_000, 640);
    all.watch();
    await all.agent.deliver();
    const { downloadTotal, uploadTotal } = all.core.totals;
    expect(all.sum(0)).toEqual({ download: downloadTotal, upload: uploadTotal });
    expect(all.sum(0)).toEqual({ download: 128_000, upload: 1280 });
    expect(all.sum(2)).toEqual({ download: 0, upload: 0 });
    expect(all.sum(1).download).toBe(130_000);
    expect([...all.booked().keys()].sort()).toEqual([id, hop].sort());
  });

  it('by the original’s wire too', async () => {
    const at = new Date(all.now).toISOString();
    const record = { upload: 0, last_updated: at, start: at, process: '' };
    const connections = [
      { ...record, id: 'real', download: 1000, conn_type: 'HTTPS' },
      { ...record, id: 'hop', download: 1016, conn_type: 'Inner' },
      { ...record, id: 'named', download: 5, conn_type: 'Inner', process: 'mihomo' },
    ];
    all.master.deliver('/api/v1/sync', JSON.stringify({ agent_id: 'old', connections, timestamp: at }));
    expect(all.sum(0).download).toBe(1005);
    expect(all.sum(1).download).toBe(1016);
  });

  it('one that ends the books in a minus would be seen: nothing here does', async () => {
    all.agent.look();
    for (let i = 0; i < 50; i++) {
      const [id = ''] = all.open(1, 0);
      all.core.open({ type: 'Inner', process: '' }, { mirrors: id });
      all.core.move(id, 10_000, 0);
      all.watch();
      if (i % 3 === 0) all.core.close(id);
    }
    all.watch();
    await all.agent.deliver();
    expect(all.sum(0).download + all.sum(2).download).toBe(all.core.totals.downloadTotal);
    expect(all.sum(2).download).toBe(0);
  });
});
