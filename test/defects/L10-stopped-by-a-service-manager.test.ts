// The original knew Ctrl-C only: at `docker stop`, or when systemd ended it, writes under way were dropped, and there was no
// last flush or sync.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { SOURCES } from '../support/command.ts';
import { coreAndDirectoryInEachTest } from '../support/core-and-directory.ts';
import { MasterProcess } from '../support/master.ts';
import { sleep, waitFor } from '../support/wait.ts';
import { WholeMaster } from '../support/whole-master.ts';

const given = coreAndDirectoryInEachTest();
let master: WholeMaster;
beforeEach(async () => {
  master = await new WholeMaster(given.directory.path).start();
});
afterEach(async () => {
  await master.stop();
});

describe('L10: whoever ends it gets everything that was seen', () => {
  it.each(['SIGTERM', 'SIGHUP'] as const)(
    'an agent writes and delivers before it ends: %s',
    async (signal) => {
      const agent = startAgent({
        program: SOURCES,
        journal: given.directory.file('agent.db'),
        agentId: signal,
        core: given.core.port,
        masterUrl: master.url,
        // Nothing would be delivered by itself for an hour.
        syncInterval: 3600,
        args: ['--master-token', WholeMaster.TOKEN],
      });
      await waitFor('the first snapshots', () => given.core.server.traffic.sent > 2);
      const first = given.core.core.open({ type: 'HTTPS' }, { download: 1000 });
      await sleep(700);
      given.core.core.close(first);
      given.core.core.open({ type: 'HTTPS' }, { download: 70 });
      await sleep(700);
      const began = performance.now();
      expect(await agent.stop(signal)).toEqual({ code: 0, signal: null });
      expect(performance.now() - began).toBeLessThan(10_000);
      const { data } = (await master.get(`/stats?type=summary&agent_id=${signal}`)).body;
      expect(data).toMatchObject({ count: 2, download: 1070 });
      const rows = (await master.get(`/connections?agent_id=${signal}`)).body.data;
      const closed = rows.filter((row: { closed_at: string | null }) => row.closed_at !== null);
      expect(closed.map((row: { id: string }) => row.id)).toEqual([first]);
    },
  );

  it('a master with an agent inside writes what that one saw', async () => {
    const options = {
      program: SOURCES,
      database: given.directory.file('inside.db'),
      args: ['--mihomo-host', '127.0.0.1', '--mihomo-port', `${given.core.port}`, '--console', 'off'],
    };
    const first = await MasterProcess.start(options);
    await waitFor('the first snapshots', () => given.core.server.traffic.sent > 2);
    given.core.core.open({ type: 'HTTPS' }, { download: 4321 });
    await sleep(800);
    expect(await first.command.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    const second = await MasterProcess.start(options);
    const rows = await second.data<{ download: number; agent_id: string }[]>('/connections');
    await second.command.stop();
    expect(rows).toMatchObject([{ download: 4321, agent_id: 'local' }]);
  });
});
