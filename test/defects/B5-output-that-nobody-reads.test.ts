// All logging of the original went through blocking prints, a line for each change of a connection: a standard output that
// nobody read stopped it from taking in data, and the browsing history stood in the logs of the system.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { SOURCES } from '../support/command.ts';
import { coreAndDirectoryInEachTest } from '../support/core-and-directory.ts';
import { waitFor } from '../support/wait.ts';

const given = coreAndDirectoryInEachTest();

/** Connections in the journal, read as another program would. */
function recorded(): number {
  const db = new Database(given.directory.file('agent.db'), { readonly: true });
  try {
    return (db.prepare('SELECT count(*) AS n FROM connections').get() as { n: number }).n;
  } finally {
    db.close();
  }
}

it('B5: recording goes on while nobody reads what the console prints', async () => {
  const child = spawn(
    process.execPath,
    [
      SOURCES,
      'agent',
      ...['--local-database', given.directory.file('agent.db'), '--mihomo-port', `${given.core.port}`],
      ...['--sample-interval', '250', '--console', 'traffic'],
    ],
    // A pipe whose other end is open, and never read.
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ended = once(child, 'exit');
  try {
    await waitFor('a feed', () => given.core.server.clients > 0);
    let opened = 0;
    const stir = setInterval(() => {
      for (let i = 0; i < 100; i++) given.core.core.open({ host: `host-${opened++}.example`, type: 'HTTPS' });
      for (const id of given.core.core.ids()) given.core.core.move(id, 1000, 100);
    }, 100);
    // Megabytes of lines, where a pipe holds 64 KiB.
    await waitFor('3,000 connections opened', () => opened >= 3000);
    clearInterval(stir);
    const total = opened;
    await waitFor('all of them recorded', () => recorded() === total, { timeoutMs: 30_000 });
  } finally {
    child.kill('SIGTERM');
  }
  const [code] = await ended;
  expect(code).toBe(0);
});

it('B5: what was visited is not in the log', async () => {
  const agent = startAgent({
    program: SOURCES,
    journal: given.directory.file('agent.db'),
    core: given.core.port,
    args: ['--log-level', 'trace'],
  });
  await waitFor('a feed', () => given.core.server.clients > 0);
  given.core.core.open({ host: 'secret-host.example', process: 'secret-process', type: 'HTTPS' });
  await waitFor('the connection in the journal', () => recorded() > 0);
  await agent.stop();
  expect(agent.stderr).toContain('agent started');
  expect(agent.stderr + agent.stdout).not.toMatch(/secret-/);
});
