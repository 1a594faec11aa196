import { copyFileSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { masterAtRest } from '../src/cli/answers/master-at-rest.ts';
import { EmbeddedFactStore } from '../src/master/store/embedded/embedded-fact-store.ts';
import { connectionRow, unique, v2Body } from './support/bodies.ts';
import { runCommand, SOURCES } from './support/command.ts';
import { TestDirectory } from './support/directory.ts';
import { WholeMaster } from './support/whole-master.ts';

/** The hour before the last one, on a half hour: over and delivered, and kept by the minute. */
const BEGIN = Math.floor(Date.now() / 1_800_000) * 30 - 120;
const at = (minute: number): string => new Date((BEGIN + minute) * 60_000).toISOString();
const VERIFY = `/verify?${new URLSearchParams({ from: at(0), to: at(60), group: 'range' })}`;

let directory: TestDirectory;
let heads: Map<string, string>;
let told: Map<string, number>;
beforeEach(() => {
  directory = new TestDirectory();
  heads = new Map();
  told = new Map();
});
afterEach(() => directory.remove());

async function withMaster<T>(work: (master: WholeMaster) => Promise<T>): Promise<T> {
  const master = await new WholeMaster(directory.path).start();
  try {
    return await work(master);
  } finally {
    await master.stop();
  }
}

/** A connection of so many bytes, and as many again that no connection explains, as lots of their own. */
async function deliver(master: WholeMaster, agent: string, minute: number, bytes: number): Promise<void> {
  const total = (told.get(agent) ?? 0) + 2 * bytes;
  const batch = unique('batch');
  const body = v2Body(agent, {
    stream: `stream-of-${agent}`,
    boot: `boot-of-${agent}`,
    batch,
    prev: heads.get(agent) ?? null,
    strings: [`c${minute}`, ''],
    connections: [connectionRow(0, 1)],
    samples: [[0, BEGIN + minute, bytes, 0, 0, 0, 0]],
    totals: [[BEGIN + minute, total, 0]],
  });
  expect((await master.post('v2', body)).body.data.ok).toBe(true);
  heads.set(agent, batch);
  told.set(agent, total);
  expect(await master.flusher.drain()).toBe(true);
}

const FACTS = 'master.facts.duckdb';
function copy(name: string, to: string): void {
  for (const ending of ['.wal', '.last', '-wal', '-shm'])
    rmSync(directory.file(to + ending), { force: true });
  copyFileSync(directory.file(name), directory.file(to));
}

/** Rows of flushed lots are no longer kept. */
function forgetLots(): void {
  const db = new Database(directory.file('master.db'));
  db.exec("DELETE FROM pending_facts; UPDATE lots SET state = 'dropped'");
  db.close();
}

const books = async (path = VERIFY) => (await withMaster((master) => master.get(path))).body;
const states = (body: { data: { agent_id: string; state: string }[] }) =>
  Object.fromEntries(body.data.map((row) => [row.agent_id, row.state]));

describe('facts that are missing', () => {
  beforeEach(async () => {
    await withMaster(async (master) => {
      await deliver(master, 'home', 1, 100);
      await deliver(master, 'office', 2, 10);
    });
    copy(FACTS, 'older');
    await withMaster(async (master) => {
      await deliver(master, 'home', 5, 1000);
      await deliver(master, 'office', 6, 2000);
      await deliver(master, 'home', 40, 7000);
    });
    copy(FACTS, 'better');
    forgetLots();
  });

  it('are named with what they explain, and no longer once a better file is put back', async () => {
    expect(states(await books())).toEqual({ home: 'balanced', office: 'balanced' });
    copy('older', FACTS);
    const named = { reason: 'not-kept', first_lot: 3, last_lot: 5 };
    const { data, meta } = await books();
    expect(meta).toEqual({
      range_cut: null,
      missing: [{ ...named, from: at(5), to: at(41), download: 20_000, upload: 0 }],
    });
    expect(data).toMatchObject([
      {
        agent_id: 'home',
        difference: { download: 16_000, upload: 0 },
        missing: [{ ...named, download: 16_000, upload: 0 }],
        state: 'incomplete',
      },
      {
        agent_id: 'office',
        difference: { download: 4000, upload: 0 },
        missing: [{ ...named, download: 4000, upload: 0 }],
        state: 'incomplete',
      },
    ]);
    // The files at rest say the same.
    const answerer = await masterAtRest(directory.file('master.db'));
    const reply = await answerer.ask(VERIFY, null, new AbortController().signal);
    await answerer.close();
    expect(reply.body).toMatchObject({ data, meta });

    copy('better', FACTS);
    const { data: healed, meta: none } = await books();
    expect(none.missing).toEqual([]);
    expect(healed).toMatchObject([{ state: 'balanced', missing: [] }, { state: 'balanced' }]);
  });

  it('are told by the command line, as a table, as CSV, and by its code', async () => {
    copy('older', FACTS);
    // At rest, nothing compares the stores.
    await withMaster(async () => {});
    const range = ['--from', at(0), '--to', at(60), '--tz', 'UTC', '--group', 'range'];
    const verify = (...more: string[]) =>
      runCommand(['verify', '--database', directory.file('master.db'), ...range, ...more], {
        program: SOURCES,
      });
    const { code, stdout } = await verify();
    expect(code).toBe(3);
    expect(stdout).toMatch(/^home .* ↓ 15\.63 KiB ↑ 0 B .* incomplete$/m);
    expect(stdout).toMatch(/facts that are missing.*:\n {2}lots 3–5: .*, ↓ 19\.53 KiB ↑ 0 B, not-kept$/m);
    expect(stdout).toMatch(/what they explain:\n {2}home .*: ↓ 15\.63 KiB ↑ 0 B by lots 3–5\n {2}office /);
    const nobody = await verify('--agent', 'nobody');
    expect(nobody).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('no agent "nobody"'),
    });
    const csv = await verify('--csv', '--agent', 'office');
    expect(csv.code).toBe(3);
    const [head = '', row = ''] = csv.stdout.split('\r\n');
    const cells = new Map(head.split(',').map((name, index) => [name, row.split(',')[index]]));
    const named = ['missing_lots', 'missing_download', 'missing_upload', 'state'];
    expect(named.map((name) => cells.get(name))).toEqual(['3-5', '4000', '0', 'incomplete']);
  });

  it('explain no more than they had, and nothing of another time', async () => {
    copy('older', FACTS);
    const db = new Database(directory.file('master.db'));
    // Something else is wrong, too: in the time of the missing lots, and outside of it.
    const more = db.prepare('UPDATE core_totals SET down = down + ? WHERE agent_id = ? AND minute = ?');
    more.run(5, 'office', BEGIN + 6);
    db.close();
    expect(states(await books())).toEqual({ home: 'incomplete', office: 'unbalanced' });
    const first = `/verify?${new URLSearchParams({ from: at(0), to: at(5), group: 'range' })}`;
    expect((await books(first)).meta.missing).toEqual([]);
    expect(states(await books(first))).toEqual({ home: 'balanced', office: 'balanced' });
  });
});

it('names half hours that a cut took below what retention had dropped', async () => {
  await withMaster((master) => deliver(master, 'home', 1, 100));
  copy('master.db', 'older.db');
  await withMaster((master) => deliver(master, 'home', 2, 1000));
  const store = new EmbeddedFactStore({ path: directory.file(FACTS), threads: 1 });
  await store.start();
  while ((await store.rollUp(1000)).more);
  expect(await store.dropBefore('minute', BEGIN + 30, 2)).toBeGreaterThan(0);
  await store.stop();
  copy('older.db', 'master.db');
  const { data, meta } = await books();
  const named = { reason: 'rolled-off', first_lot: 1, last_lot: 1, download: 200, upload: 0 };
  expect(meta.missing).toEqual([{ ...named, from: at(0), to: at(30) }]);
  expect(data).toMatchObject([{ state: 'incomplete', missing: [named], core: { download: 200 } }]);
});
