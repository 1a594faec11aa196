import { existsSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RunningCommand } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { waitFor } from '../support/wait.ts';

let directory: TestDirectory;
beforeEach(() => {
  directory = new TestDirectory();
});
afterEach(() => directory.remove());

const leftovers = () => readdirSync(directory.path);

it('the demo shows data that grows, and leaves nothing behind', async () => {
  const demo = new RunningCommand(['demo', '--days', '1', '--seed', '7'], {
    env: { TMPDIR: directory.path },
  });
  try {
    const [, api] = await demo.said(/The master answers at (http:\S+)/, 120_000);
    expect(leftovers()).toHaveLength(1);
    const agents = await waitFor(
      'both agents with all that they lived through',
      async () => {
        const response = await fetch(`${api}/agents`);
        const { data } = (await response.json()) as {
          data: { agent_id: string; backlog: { rows: number } }[];
        };
        return data.length === 2 && data.every(({ backlog }) => backlog.rows < 1000) && data;
      },
      { timeoutMs: 120_000, everyMs: 500 },
    );
    expect(agents.map((agent) => agent.agent_id).sort()).toEqual(['living-room', 'office']);
    const summary = await waitFor('statistics', async () => {
      const response = await fetch(`${api}/stats?type=summary`);
      const { data } = (await response.json()) as { data: { count: number; download: number } };
      return data.count > 1000 && data;
    });
    expect(summary.download).toBeGreaterThan(1_000_000);
    await demo.said(/\d+ connections, ↓/);

    const began = performance.now();
    expect(await demo.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(leftovers()).toEqual([]);
  } finally {
    await demo.kill();
  }
});

it('the demo ends at once when it is told so while it makes up its history', async () => {
  const demo = new RunningCommand(['demo', '--days', '30', '--seed', '7'], {
    env: { TMPDIR: directory.path },
  });
  try {
    await demo.said(/making up 30 days/);
    const began = performance.now();
    await demo.stop('SIGINT');
    expect(performance.now() - began).toBeLessThan(5000);
    expect(leftovers()).toEqual([]);
  } finally {
    await demo.kill();
  }
});

it('the demo keeps what it is told to keep', async () => {
  const keep = directory.file('kept');
  const demo = new RunningCommand(['demo', '--days', '1', '--keep', keep]);
  try {
    await demo.said(/Ctrl-C ends it/, 120_000);
    expect(await demo.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(existsSync(`${keep}/master.db`)).toBe(true);
  } finally {
    await demo.kill();
  }
});
