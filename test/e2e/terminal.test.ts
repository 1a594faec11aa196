import { spawn, spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { PACKAGE } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { waitFor } from '../support/wait.ts';

/** A terminal is made by `script` of util-linux, where there is one. */
const HAS_TERMINAL = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') ?? false;

let directory: TestDirectory;
beforeEach(() => {
  directory = new TestDirectory();
});
afterEach(() => directory.remove());

it.runIf(HAS_TERMINAL)('logs lines that can be read on a terminal', async () => {
  const words = [process.execPath, PACKAGE, 'agent', '--mihomo-port', '1', '--agent-id', 'house'];
  const command = words.map((word) => `'${word}'`).join(' ');
  const terminal = spawn('script', ['-qefc', command, '/dev/null'], { cwd: directory.path });
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const ended = new Promise((resolve) => terminal.on('close', resolve));
  try {
    await waitFor('the first lines', () => shown.includes('no snapshots from the core'));
    expect(shown).toMatch(/^\d\d:\d\d:\d\d INFO {2}agent started version=\S+ agent=house .*\r$/m);
    expect(shown).not.toContain('{"level"');
  } finally {
    terminal.kill();
    await ended;
  }
});

it('logs JSON to a program', async () => {
  const agent = startAgent({ journal: directory.file('agent.db'), core: 1, agentId: 'house' });
  await agent.said(/agent started/);
  await agent.stop();
  const lines = agent.stderr.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ level: 30, msg: 'agent started', agent: 'house' }),
  );
});
