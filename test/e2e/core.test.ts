import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAgent } from '../support/agent.ts';
import type { RunningCommand } from '../support/command.ts';
import { TestCore, type TestCoreOptions } from '../support/core.ts';
import { TestDirectory } from '../support/directory.ts';
import { waitFor } from '../support/wait.ts';

let directory: TestDirectory;
let core: TestCore;
let agent: RunningCommand;

beforeEach(() => {
  directory = new TestDirectory();
});
afterEach(async () => {
  await agent.kill();
  await core.stop();
  directory.remove();
});

async function startCore(options: TestCoreOptions = {}): Promise<void> {
  core = new TestCore(options);
  await core.start();
}

function attach(address: number | string, args: readonly string[] = []): RunningCommand {
  agent = startAgent({ journal: directory.file('agent.db'), core: address, args });
  return agent;
}

describe('an agent', () => {
  it.skipIf(process.platform === 'win32')(
    "reads a core on a Unix socket, without the core's secret",
    async () => {
      const socketPath = directory.file('core.sock');
      await startCore({ server: { port: null, socketPath, secret: 'not asked for here' } });
      await attach(`unix:${socketPath}`).said(/"core run"/);
      await waitFor('an open feed', () => core.server.clients === 1);
      expect(await agent.stop()).toEqual({ code: 0, signal: null });
    },
  );

  it('says plainly that the core refuses its secret, without telling the secret, and goes on trying', async () => {
    await startCore({ server: { secret: 'right' } });
    attach(core.port, ['--mihomo-token', 'wrong-secret']);
    await agent.said(/"reason":"unauthorized"/);
    expect(agent.ended).toBeNull();
    expect(agent.stderr).not.toContain('wrong-secret');
    expect(await agent.stop()).toEqual({ code: 0, signal: null });
  });

  it('waits for a core that is down, and finds it again after it went', async () => {
    await startCore();
    await core.server.refuse();
    attach(core.port);
    await agent.said(/"reason":"core-down"/);
    await core.server.accept();
    await agent.said(/"verdict":"first","run":1/);
    await waitFor('an open feed', () => core.server.clients === 1);

    core.core.open({ host: 'a.example', type: 'Tun' }, { download: 10 });
    await core.server.restart({ downMs: 300 });
    core.core.open({ host: 'b.example', type: 'Tun' }, { download: 20 });
    await agent.said(/"run":2/);
    await waitFor('an open feed again', () => core.server.clients === 1);
    expect(await agent.stop()).toEqual({ code: 0, signal: null });
  });
});
