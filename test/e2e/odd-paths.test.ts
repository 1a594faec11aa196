import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { TestDirectory } from '../support/directory.ts';
import { MasterProcess } from '../support/master.ts';

let directory: TestDirectory;
beforeEach(() => {
  directory = new TestDirectory();
});
afterEach(() => directory.remove());

const RECORD = { id: 'c-1', download: 1000, upload: 10, last_updated: '2026-07-01T12:00:00Z' };

it('keeps its books in files whose names are special in addresses and in SQL', async () => {
  const stem = "a#b %41 file:'家";
  const database = directory.file(`${stem}.db`);
  let master = await MasterProcess.start({ database });
  try {
    const sent = await master.post('/api/v1/sync', { agent_id: 'router', connections: [RECORD] });
    expect(sent.status).toBe(200);
    await master.command.stop();
    master = await MasterProcess.start({ database });
    expect(await master.data('/stats?type=summary')).toMatchObject({ count: 1, download: 1000, upload: 10 });
  } finally {
    await master.command.stop();
  }
  for (const name of readdirSync(directory.path)) expect(name).toContain(stem);
});

it('keeps a journal in a file with a question mark in its name', async () => {
  const agent = startAgent({ journal: directory.file('a?mode=ro.db'), core: 1 });
  await agent.said(/agent started/);
  expect((await agent.stop()).code).toBe(0);
  expect(readdirSync(directory.path).sort()).toEqual(['a?mode=ro.db', 'a?mode=ro.db.lock']);
});
