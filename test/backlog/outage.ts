import type { SimulatedCore } from '../../src/simulator/core.ts';
import { startAgent } from '../support/agent.ts';
import { TestCore } from '../support/core.ts';
import { TestDirectory } from '../support/directory.ts';
import { hold } from '../support/hold.ts';
import { MasterProcess } from '../support/master.ts';
import { MemoryWatch } from '../support/process-info.ts';
import { RecordsFile } from '../support/records-file.ts';
import { sleep, waitFor } from '../support/wait.ts';
import { JournalFile } from './journal-file.ts';

const CONNECTIONS = 25_000;
const AT_ONCE = 600;
/** A delivery takes some seconds; machines are shared, and the agent's next attempt has a random wait. */
const MOST_SECONDS = 120;

/** 25,000 connections pass while the master is away: all of them arrive when it is back, and soon. */
export async function outage(seed: number): Promise<void> {
  const directory = new TestDirectory();
  const journal = new JournalFile(directory.file('agent.db'));
  const database = directory.file('master.db');
  const core = new TestCore({ core: { seed } });
  const memory = new MemoryWatch();
  const before = await MasterProcess.start({ database });
  await core.start();
  const agent = startAgent({
    journal: directory.file('agent.db'),
    agentId: 'busy',
    core: core.port,
    masterUrl: before.url,
  });
  let master: MasterProcess | null = null;
  try {
    memory.watch('agent', agent.pid);
    await agent.said(/"core run"/);
    await waitFor(
      'the agent at the master',
      async () => (await before.data<unknown[]>('/agents')).length === 1,
    );
    await before.command.stop();

    await manyConnections(core.core);
    await waitFor('all of them in the journal', () => journal.connections() === CONNECTIONS, {
      everyMs: 500,
    });
    const { samples } = journal.waiting();

    const from = performance.now();
    master = await MasterProcess.start({ database, port: before.port });
    memory.watch('master', master.command.pid);
    const ready = performance.now();
    const asked = master;
    const backlog = async () => {
      const [row] = await asked.data<{ backlog: { rows: number }; last_sync: string }[]>('/agents');
      return row;
    };
    const began = Date.now();
    await waitFor('the first batch', async () => Date.parse((await backlog())?.last_sync ?? '') > began, {
      timeoutMs: MOST_SECONDS * 1000,
    });
    const first = performance.now();
    await waitFor('the last row', async () => (await backlog())?.backlog.rows === 0 && isAll(journal), {
      timeoutMs: MOST_SECONDS * 1000,
      everyMs: 100,
    });
    const done = performance.now();
    const s = (to: number, since: number) => `${((to - since) / 1000).toFixed(1)} s`;
    console.log(
      `outage: ${CONNECTIONS} connections, ${samples} samples; master ready after ${s(ready, from)}, ` +
        `first batch ${s(first, ready)} later, all of it ${s(done, ready)} after its return`,
    );
    check(core.core, journal, database);
  } finally {
    const { agent: a = 0, master: m = 0 } = memory.end();
    console.log(`outage: most resident: agent ${a} MiB, master ${m} MiB`);
    await agent.stop();
    await (master ?? before).command.stop();
    await core.stop();
    directory.remove();
  }
}

function isAll(journal: JournalFile): boolean {
  const { samples, closes, totals } = journal.waiting();
  return samples + closes + totals === 0;
}

/** Many short ones: a few hundred new ones a quarter of a second, each listed two or three times; some stay. */
async function manyConnections(core: SimulatedCore): Promise<void> {
  const open: string[] = [];
  for (let i = 0; i < CONNECTIONS; ) {
    for (let n = 0; n < AT_ONCE && i < CONNECTIONS; n++, i++) {
      const host = `host-${i % 3000}.example`;
      open.push(core.open({ host, type: 'Tun', chains: ['DIRECT'] }, { download: 1000 + i, upload: 100 }));
    }
    await sleep(350);
    for (const id of open) core.move(id, 500, 50);
    await sleep(350);
    while (open.length > AT_ONCE) {
      const id = open.shift();
      if (id !== undefined) core.close(id, { lateDownload: 77 });
    }
  }
}

function check(core: SimulatedCore, journal: JournalFile, database: string): void {
  const file = new RecordsFile(database);
  try {
    file.balanced();
    const records = new Map(file.records().map((row) => [row.id, row]));
    hold(records.size === CONNECTIONS, () => `${records.size} records`);
    for (const true_ of core.truth.connections.values()) {
      const record = records.get(true_.id);
      hold(
        record?.down === true_.listedDownload && record.up === true_.listedUpload,
        () => `${true_.id} has ${record?.down}, listed ${true_.listedDownload}`,
      );
    }
    const [sum] = file.all<{ down: number }>('SELECT sum(down) AS down FROM core_totals');
    hold(
      sum?.down === core.truth.run.download,
      () => `accepted ${sum?.down}, true ${core.truth.run.download}`,
    );
    hold(journal.lost().connections === 0, () => 'something is said to be lost');
  } finally {
    file.close();
  }
}
