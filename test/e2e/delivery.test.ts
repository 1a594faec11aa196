import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startAgent } from '../support/agent.ts';
import type { RunningCommand } from '../support/command.ts';
import { coreAndDirectoryInEachTest } from '../support/core-and-directory.ts';
import { MasterProcess } from '../support/master.ts';
import { HAS_PROC, mappedFiles } from '../support/process-info.ts';
import { waitFor } from '../support/wait.ts';

/** Core, agent and master as their users start them. */
const given = coreAndDirectoryInEachTest();
let commands: RunningCommand[];

beforeEach(async () => {
  commands = [];
});
afterEach(async () => {
  for (const command of commands) await command.kill();
});

async function master(port = 0): Promise<MasterProcess> {
  const started = await MasterProcess.start({ database: given.directory.file('master.db'), port });
  commands.push(started.command);
  return started;
}

function agent(masterUrl: string | undefined, syncInterval = 1): RunningCommand {
  const started = startAgent({
    journal: given.directory.file('agent.db'),
    agentId: 'home',
    core: given.core.port,
    ...(masterUrl === undefined ? {} : { masterUrl }),
    syncInterval,
  });
  commands.push(started);
  return started;
}

interface Connection {
  id: string;
  agent_id: string;
  host: string;
  download: number;
  upload: number;
}

async function connectionsOf(asked: MasterProcess): Promise<Connection[]> {
  return await asked.data<Connection[]>('/connections?limit=100');
}

/** Statistics follow records within a second or two. */
async function summed(asked: MasterProcess, expected: object, filter = ''): Promise<void> {
  await vi.waitFor(
    async () => expect(await asked.data(`/stats?type=summary${filter}`)).toMatchObject(expected),
    { timeout: 20_000, interval: 200 },
  );
}

/** What the agent has seen at first is history; only what comes after is booked. */
async function attached(command: RunningCommand): Promise<void> {
  await command.said(/"core run"/);
}

describe('an agent and a master', () => {
  it('show what the core shows, to the byte', async () => {
    const asked = await master();
    const delivering = agent(asked.url);
    await attached(delivering);
    const id = given.core.core.open({ host: 'one.example', type: 'Tun' }, { download: 1000, upload: 100 });
    given.core.core.open({ host: 'two.example', type: 'Tun' }, { download: 500, upload: 50 });
    await waitFor('both connections', async () => (await connectionsOf(asked)).length === 2);
    given.core.core.move(id, 234, 11);
    given.core.core.moveUnlisted(700, 70);

    await waitFor('the newest counters', async () =>
      (await connectionsOf(asked)).some((row) => row.id === id && row.download === 1234),
    );
    const rows = await connectionsOf(asked);
    expect(rows.map(({ host, download, upload }) => [host, download, upload]).sort()).toEqual([
      ['one.example', 1234, 111],
      ['two.example', 500, 50],
    ]);
    await summed(asked, { count: 2, download: 1734, upload: 161 });
    const [first] = await asked.data<Record<string, unknown>[]>(
      '/stats?type=group&group_by=host&sort_by=download&limit=1',
    );
    expect(first).toMatchObject({ host: 'one.example', download: 1234, upload: 111 });

    const agents = await asked.data<Record<string, unknown>[]>('/agents');
    expect(agents).toHaveLength(1);
    expect(agents[0]).toMatchObject({
      agent_id: 'home',
      status: 'online',
      connections_count: 2,
      total_download: 1734,
      core: { state: 'connected' },
    });
    const verified = await waitFor('unattributed bytes in the books', async () => {
      const days = await asked.data<Record<string, { download: number }>[]>('/verify');
      return days.some((day) => day.unattributed?.download === 700) && days;
    });
    for (const day of verified) expect(day.difference).toEqual({ download: 0, upload: 0 });
    if (HAS_PROC) {
      expect(mappedFiles(delivering.pid)).toMatch(/better.sqlite3/);
      expect(mappedFiles(delivering.pid)).not.toMatch(/duckdb/i);
      expect(mappedFiles(asked.command.pid)).toMatch(/duckdb/i);
    }
  });

  it('end in order on SIGTERM, and the last bytes arrive', async () => {
    const asked = await master();
    // Nothing would be delivered for an hour but by the end itself.
    const delivering = agent(asked.url, 3600);
    await attached(delivering);
    const id = given.core.core.open({ host: 'last.example', type: 'Tun' }, { download: 4321, upload: 21 });
    await waitFor('a message that lists it', () => given.core.core.truth.connections.get(id)?.listedAt);
    const listed = given.core.server.traffic.sent;
    await waitFor('one message more', () => given.core.server.traffic.sent > listed + 1);

    expect(await delivering.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await connectionsOf(asked)).toMatchObject([{ host: 'last.example', download: 4321, upload: 21 }]);
    expect(await asked.command.stop('SIGTERM')).toEqual({ code: 0, signal: null });

    // What was merged is in the database, whatever the fact store had by then; and is answered after the next start.
    const again = await master();
    await summed(again, { count: 1, download: 4321, upload: 21 });
  });

  it('record without a master, and deliver everything once there is one', async () => {
    const alone = agent(undefined);
    await attached(alone);
    const early = given.core.core.open({ host: 'early.example', type: 'Tun' }, { download: 10, upload: 1 });
    const journal = () => {
      const db = new Database(given.directory.file('agent.db'), { readonly: true });
      try {
        return db.prepare('SELECT id FROM connections').pluck().all();
      } finally {
        db.close();
      }
    };
    await waitFor(
      'a flush of the journal',
      () => existsSync(given.directory.file('agent.db')) && journal().length > 0,
    );
    given.core.core.close(early);
    expect(await alone.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(journal()).toEqual([early]);

    const asked = await master();
    agent(asked.url);
    await waitFor('what was recorded before', async () => (await connectionsOf(asked)).length === 1);
    expect(await connectionsOf(asked)).toMatchObject([{ host: 'early.example', download: 10, upload: 1 }]);
  });

  it('go on when the master was away', async () => {
    const asked = await master();
    const delivering = agent(asked.url);
    await attached(delivering);
    expect(await asked.command.stop()).toEqual({ code: 0, signal: null });
    given.core.core.open({ host: 'away.example', type: 'Tun' }, { download: 77, upload: 7 });
    await waitFor('an agent that noticed', () => given.core.server.clients === 1, { everyMs: 2000 });
    const back = await master(asked.port);
    await waitFor('the connection', async () => (await connectionsOf(back)).length === 1, {
      timeoutMs: 60_000,
    });
    await summed(back, { count: 1, download: 77, upload: 7 });
    expect(delivering.ended).toBeNull();
  });
});

describe('a master with a core of its own', () => {
  it('collects as the agent "local", whose id nobody else may use', async () => {
    const started = await MasterProcess.start({
      database: given.directory.file('master.db'),
      args: ['--mihomo-host', '127.0.0.1', '--mihomo-port', `${given.core.port}`, '--sample-interval', '250'],
    });
    commands.push(started.command);
    await attached(started.command);
    given.core.core.open({ host: 'own.example', type: 'Tun' }, { download: 900, upload: 90 });
    await waitFor('its own connection', async () => (await connectionsOf(started)).length === 1);
    expect(await connectionsOf(started)).toMatchObject([{ agent_id: 'local', download: 900, upload: 90 }]);
    await summed(started, { count: 1, download: 900, upload: 90 }, '&agent=local');

    const forged = await started.post('/api/v1/sync', {
      agent_id: 'local',
      connections: [],
      timestamp: new Date().toISOString(),
    });
    expect(forged.status).toBe(403);
    expect(forged.body.code).toBe('agent_id_reserved');
    expect(existsSync(given.directory.file('master.local.db'))).toBe(true);
    expect(await started.command.stop()).toEqual({ code: 0, signal: null });
  });
});
