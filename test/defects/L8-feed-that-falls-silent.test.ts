// The original read its feed without a time limit, and the core never reads the socket, so that pings get no answer: after a
// NAT timeout or a suspended machine its agent waited for ever, and said nothing.
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { SOURCES } from '../support/command.ts';
import { coreAndDirectoryInEachTest } from '../support/core-and-directory.ts';
import { sleep, waitFor } from '../support/wait.ts';

const given = coreAndDirectoryInEachTest();

it('L8: silence is noticed, said, written down as a gap, and ended', async () => {
  const journal = given.directory.file('agent.db');
  const agent = startAgent({ program: SOURCES, journal, core: given.core.port });
  try {
    await waitFor('the first snapshots', () => given.core.server.traffic.sent > 2);
    const id = given.core.core.open({ type: 'HTTPS' }, { download: 1000 });
    await sleep(800);
    // The socket stays open; nothing comes any more.
    given.core.server.stall();
    await agent.said(/"reason":"stalled"/, 25_000);
    given.core.core.move(id, 500, 0);
    given.core.server.unstall();
    await waitFor('another feed', () => given.core.server.clients > 0);
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
