import { SimulatedCoreServer } from '../../src/simulator/server.ts';
import { startAgent } from '../support/agent.ts';
import { TestDirectory } from '../support/directory.ts';
import { hold } from '../support/hold.ts';
import { MasterProcess } from '../support/master.ts';
import { MemoryWatch } from '../support/process-info.ts';
import { RecordsFile } from '../support/records-file.ts';
import { waitFor } from '../support/wait.ts';
import { JournalFile, type Known } from './journal-file.ts';
import { makeUp } from './made-up.ts';

const AGENT = 'far-away';
const MIB = 1024 * 1024;
/** The budget is looked at once in twelve flushes, which is a simulated hour here and a minute in life. */
const GRACE = 1.1;

export interface OfflineOptions {
  name: string;
  days: number;
  connections: number;
  budgetMib: number;
  seed: number;
  /** What the budget must have led to: sums stay exact until something is lost. */
  expect: { thinned?: boolean; lost: boolean };
}

/** Days without a master stay within the budget of the journal; then all that it holds arrives, exactly. */
export async function offline(options: OfflineOptions): Promise<void> {
  const { name, days, connections, budgetMib, seed, expect } = options;
  const directory = new TestDirectory();
  const path = directory.file('agent.db');
  const database = directory.file('master.db');
  const journal = new JournalFile(path);
  try {
    const past = makeUp({
      journal: path,
      agentId: AGENT,
      days,
      connections,
      budget: budgetMib * MIB,
      seed,
    });
    const bytes = journal.bytes();
    const known = journal.counters();
    const lost = journal.lost();
    const waiting = journal.waiting();
    console.log(
      `${name}: ${days} days made up in ${past.seconds.toFixed(0)} s: ${known.size} connections, ` +
        `${waiting.samples} samples, at most ${(past.largest / MIB).toFixed(1)} MiB in use, ` +
        `${(bytes / MIB).toFixed(1)} MiB on disk; ${past.thinned} thinned, ${past.lost} lost`,
    );
    hold(past.largest <= budgetMib * MIB * GRACE, () => `the journal took ${past.largest} bytes`);
    hold(past.lost > 0 === expect.lost, () => `${past.lost} connections were lost`);
    if (expect.thinned !== undefined) {
      hold(past.thinned > 0 === expect.thinned, () => `${past.thinned} samples were thinned`);
    }
    hold(lost.connections === past.lost, () => `${lost.connections} are said to be lost, not ${past.lost}`);
    const server = new SimulatedCoreServer({ core: past.core, manual: true });
    await server.start();
    const { run } = past.core.truth;
    await deliver(options, { directory, path, database, port: server.port, samples: waiting.samples });
    await server.stop();
    check(database, known, lost, run);
  } finally {
    directory.remove();
  }
}

interface Delivery {
  directory: TestDirectory;
  path: string;
  database: string;
  port: number;
  samples: number;
}

async function deliver({ name }: OfflineOptions, { path, database, port, samples }: Delivery): Promise<void> {
  const memory = new MemoryWatch();
  const journal = new JournalFile(path);
  const master = await MasterProcess.start({ database });
  const agent = startAgent({
    journal: path,
    core: port,
    masterUrl: master.url,
    args: ['--data-retention-days', '0'],
  });
  memory.watch('master', master.command.pid);
  memory.watch('agent', agent.pid);
  try {
    const backlog = async () =>
      (await master.data<{ backlog: { rows: number } }[]>('/agents'))[0]?.backlog.rows;
    await waitFor('the first batch', async () => (await backlog()) !== undefined, { timeoutMs: 60_000 });
    const from = performance.now();
    await waitFor('the last row', async () => ((await backlog()) ?? 1) === 0 && isAll(journal), {
      timeoutMs: 1_800_000,
      everyMs: 100,
    });
    const seconds = (performance.now() - from) / 1000;
    const said = await waitFor('facts that are all there', async () => {
      const { body } = await master.get<{ state: string }>('/ready');
      return body.status === 'success' && body.data.state;
    });
    hold(said === 'ok' || said === 'warning', () => `ready: ${said}`);
    console.log(
      `${name}: delivered in ${seconds.toFixed(1)} s, ${Math.round(samples / seconds)} samples a second`,
    );
    const days = await master
      .data<Verified[]>('/verify?from=2026-01-01T00:00:00Z&group=agent')
      .catch(() => master.data<Verified[]>('/verify?from=2026-01-01T00:00:00Z'));
    hold(days.length > 0, () => '/verify knows nothing');
  } finally {
    const { agent: a = 0, master: m = 0 } = memory.end();
    console.log(`${name}: most resident: agent ${a} MiB, master ${m} MiB`);
    const codes = [(await agent.stop()).code, (await master.command.stop()).code];
    hold(
      codes.every((code) => code === 0),
      () => `exit ${codes}`,
    );
  }
}

interface Verified {
  difference: { download: number; upload: number } | null;
}

function isAll(journal: JournalFile): boolean {
  const { samples, closes, totals } = journal.waiting();
  return samples + closes + totals === 0;
}

function check(
  database: string,
  known: ReadonlyMap<string, Known>,
  lost: Known & { connections: number },
  truth: { download: number; upload: number },
): void {
  const file = new RecordsFile(database);
  try {
    file.balanced();
    const records = file.records();
    hold(records.length === known.size, () => `${records.length} records of ${known.size}`);
    for (const record of records) {
      const counters = known.get(record.id);
      hold(
        record.down === counters?.down && record.up === counters.up,
        () => `${record.id}: master ${record.down}/${record.up}, journal ${counters?.down}/${counters?.up}`,
      );
    }
    const sum = (sql: string) => file.all<Known>(sql)[0] ?? { down: 0, up: 0 };
    const accepted = sum('SELECT sum(down) AS down, sum(up) AS up FROM core_totals');
    hold(
      accepted.down === truth.download && accepted.up === truth.upload,
      () => `accepted ${accepted.down}/${accepted.up}, true ${truth.download}/${truth.upload}`,
    );
    const booked = sum('SELECT sum(down) AS down, sum(up) AS up FROM pending_facts WHERE kind <> 1');
    hold(booked.down === accepted.down && booked.up === accepted.up, () => 'attributed + unattributed');
    const unattributed = sum('SELECT sum(down) AS down, sum(up) AS up FROM pending_facts WHERE kind = 2');
    const told = sum('SELECT coalesce(sum(down), 0) AS down, coalesce(sum(up), 0) AS up FROM lost');
    hold(told.down === lost.down && told.up === lost.up, () => `lost ${lost.down}, master ${told.down}`);
    hold(
      lost.down <= unattributed.down && lost.up <= unattributed.up,
      () => `lost ${lost.down}/${lost.up} is more than unattributed ${unattributed.down}/${unattributed.up}`,
    );
  } finally {
    file.close();
  }
}
