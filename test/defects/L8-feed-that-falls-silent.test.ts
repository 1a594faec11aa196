// The original read its feed without a time limit, and the core never reads the socket, so that pings get no answer: after a
// NAT timeout or a suspended machine its agent waited for ever, and said nothing.
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { SOURCES } from '../support/command.ts';
import { TestCore } from '../support/core.ts';
import { TestDirectory } from '../support/directory.ts';
import { sleep, waitFor } from '../support/wait.ts';

let directory: TestDirectory;
let core: TestCore;
beforeEach(async () => {
  directory = new TestDirectory();
  core = new TestCore();
  await core.start();
});
afterEach(async () => {
  await core.stop();
  directory.remove();
});

it('L8: silence is noticed, said, written down as a gap, and ended', async () => {
  const journal = directory.file('agent.db');
  const agent = startAgent({ program: SOURCES, journal, core: core.port });
  try {
    await waitFor('the first snapshots', () => core.server.traffic.sent > 2);
    const id = core.core.open({ type: 'HTTPS' }, { download: 1000 });
    await sleep(800);
    // The socket stays open; nothing comes any more.
    core.server.stall();
    await agent.said(/"reason":"stalled"/, 25_000);
    core.core.move(id, 500, 0);
    core.server.unstall();
    await waitFor('another feed', () => core.server.clients > 0);
    await sleep(1500);
  } finally {
    expect((await agent.stop()).code).toBe(0);
  }
  const db = new Database(journal, { readonly: true });
  const gaps = db.prepare("SELECT to_ms - from_ms AS ms FROM gaps WHERE reason = 'stalled'").all() as {
    ms: number;
  }[];
  const sample = db.prepare('SELECT max(down) AS down, max(rdown) AS recovered FROM samples').get();
  db.close();
  expect(gaps).toHaveLength(1);
  expect(gaps[0]?.ms).toBeGreaterThan(9000);
  expect(sample).toEqual({ down: 1500, recovered: 500 });
});
