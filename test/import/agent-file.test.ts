import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/agent/journal/journal.ts';
import { backupOf } from '../../src/agent/journal/schema.ts';
import { SimulatedCore } from '../../src/simulator/core.ts';
import { checkBooks } from '../support/books.ts';
import { DirectMaster } from '../support/direct-master.ts';
import { TestDirectory } from '../support/directory.ts';
import { JournalAgent } from '../support/journal-agent.ts';
import { type OriginalConnection, originalRow, writeOriginal } from '../support/original-database.ts';

const START = Date.UTC(2026, 6, 1, 12, 5);

let directory: TestDirectory;
let path: string;
let now: number;
let core: SimulatedCore;
let master: DirectMaster;
let agents: JournalAgent[];
beforeEach(() => {
  directory = new TestDirectory();
  path = directory.file('agent.db');
  now = START;
  core = new SimulatedCore({ startAt: START, profile: null });
  master = new DirectMaster(directory.file('master.db'), () => now);
  agents = [];
});
afterEach(() => {
  for (const agent of agents) agent.close();
  master.close();
  directory.remove();
});

function takeOver(rows: readonly OriginalConnection[], agentId = 'router'): JournalAgent {
  writeOriginal(path, rows);
  return start(agentId);
}

function start(agentId = 'router'): JournalAgent {
  const agent = new JournalAgent({ path, agentId, core, transport: master.transport(), wall: () => now });
  agents.push(agent);
  return agent;
}

/** So much time passes, one snapshot at its end. */
function later(ms: number, agent: JournalAgent): void {
  now += ms;
  core.advance(ms);
  agent.look();
}

/** Records of the master by agent and id, after a check of its books: `[download, upload]`. */
function records(): Record<string, [number, number]> {
  return Object.fromEntries(
    checkBooks(master.merger.db).map(({ agent, id, down, up }) => [`${agent} ${id}`, [down, up]]),
  );
}

describe('the original’s file as --local-database', () => {
  it('is copied before anything in it is changed', () => {
    writeOriginal(path, [originalRow('a'), originalRow('b')]);
    const before = readFileSync(path);
    new Journal({ path }).close();
    expect(readFileSync(backupOf(path)).equals(before)).toBe(true);
    // The copy is the original's still.
    const copy = new Database(backupOf(path), { readonly: true });
    expect(copy.prepare('SELECT count(*) AS n FROM connections').get()).toEqual({ n: 2 });
    copy.close();
  });

  it('keeps the agent id of its newest rows, and a stream is born once', () => {
    writeOriginal(path, [
      originalRow('a', { agent_id: 'old', last_updated: '2026-06-01T00:00:00+00:00' }),
      originalRow('b', { agent_id: 'newest', last_updated: '2026-07-01T08:00:00+08:00' }),
      originalRow('c', { agent_id: null, last_updated: '2026-07-02T00:00:00+00:00' }),
    ]);
    const first = new Journal({ path });
    const { agentId, stream } = first;
    first.close();
    const second = new Journal({ path });
    expect([agentId, second.agentId, second.stream]).toEqual(['newest', 'newest', stream]);
    second.close();
  });

  it('delivers every row once, each under the id it was collected with', async () => {
    const rows = Array.from({ length: 2500 }, (_, i) =>
      originalRow(`c${i}`, { conn_download: i, agent_id: i < 1000 ? 'before' : 'router' }),
    );
    const agent = takeOver(rows);
    await agent.deliver();
    const expected = Object.fromEntries(
      rows.map((row) => [`${row.agent_id} ${row.id}`, [row.conn_download, 10]]),
    );
    expect(records()).toEqual(expected);
    agent.close();
    await start().deliver();
    expect(records()).toEqual(expected);
  });

  it('what the original’s agent had delivered already changes nothing', async () => {
    const rows = [originalRow('a'), originalRow('b', { conn_download: 700 })];
    const sent = rows.map(({ conn_download, conn_upload, type, ...row }) => ({
      ...row,
      conn_type: type,
      download: conn_download,
      upload: conn_upload,
    }));
    master.deliver('/api/v1/sync', JSON.stringify({ agent_id: 'router', connections: sent, timestamp: 'x' }));
    await takeOver(rows).deliver();
    expect(records()).toEqual({ 'router a': [100, 10], 'router b': [700, 10] });
  });

  it('goes on with connections that still live, from the counters it finds', async () => {
    const known = core.open({ type: 'HTTPS', start: '2026-07-01T11:58:00Z' }, { download: 1500, upload: 60 });
    const since = core.open({ type: 'HTTPS' }, { download: 9000, upload: 900 });
    const agent = takeOver([
      originalRow(known, { conn_download: 1000, conn_upload: 40 }),
      originalRow('gone', { conn_download: 77 }),
    ]);
    agent.look();
    await agent.deliver();
    core.move(known, 500, 40);
    later(1000, agent);
    await agent.deliver();
    // One record: what the original had seen, what moved while nobody looked, and what came since.
    expect(records()).toMatchObject({
      [`router ${known}`]: [2000, 100],
      'router gone': [77, 10],
      [`router ${since}`]: [9000, 900],
    });
    const facts = master.merger.db
      .prepare(
        `SELECT c.id, sum(p.down) AS down, sum(p.down) FILTER (WHERE p.recovered = 1) AS recovered FROM pending_facts p
         JOIN connections c ON c.num = p.conn GROUP BY c.id`,
      )
      .all() as { id: string; down: number; recovered: number | null }[];
    const booked = Object.fromEntries(facts.map((row) => [row.id, [row.down, row.recovered ?? 0]]));
    // The other one began while nobody looked.
    expect(booked).toEqual({ [known]: [2000, 500], gone: [77, 0], [since]: [9000, 9000] });
    core.close(known);
    later(1000, agent);
    await agent.deliver();
    const closed = master.merger.db.prepare('SELECT closed_at FROM connections WHERE id = ?').get(known);
    expect((closed as { closed_at: number }).closed_at).toBe(now);
  });

  it('crashes and lost answers while it delivers change nothing of that', async () => {
    const live = Array.from({ length: 5 }, () => core.open({ type: 'HTTPS' }, { download: 5000 }));
    let agent = takeOver([
      ...live.map((id) => originalRow(id, { conn_download: 3000, conn_upload: 0 })),
      ...Array.from({ length: 1500 }, (_, i) => originalRow(`c${i}`)),
    ]);
    // Every third request is lost, every third answer, and the agent dies now and then.
    master.fault = (request) => (request % 3 === 0 ? 'lost' : request % 3 === 1 ? 'answer-lost' : 'none');
    for (let round = 0; round < 60; round++) {
      if (round % 7 === 6) {
        agent.close();
        agent = start();
      }
      for (const id of live) core.move(id, 10, 1);
      later(2000, agent);
      await agent.step();
    }
    master.fault = () => 'none';
    later(1000, agent);
    await agent.deliver();
    const found = records();
    expect(Object.keys(found)).toHaveLength(1505);
    for (const id of live) expect(found[`router ${id}`]).toEqual([5600, 60]);
    // I2: what the journal accepted of the core's totals is what was booked since, or unattributed.
    const since = master.merger.db.prepare('SELECT total(down) AS down FROM core_totals').get() as {
      down: number;
    };
    const unattributed = master.merger.db
      .prepare('SELECT total(down) AS down FROM pending_facts WHERE kind = 2')
      .get() as { down: number };
    expect([since.down, unattributed.down]).toEqual([5 * 2600, 0]);
  });

  it('goes by the original’s wire for a while, and its totals then cover what came since, and no more', async () => {
    const live = core.open({ type: 'HTTPS' }, { download: 5000 });
    master.fault = (_n, wire) => (wire === '/api/v2/sync' ? { status: 404 } : 'none');
    let agent = takeOver([originalRow(live, { conn_download: 3000, conn_upload: 0 })]);
    for (let minute = 0; minute < 3; minute++) {
      core.move(live, 100, 10);
      core.moveUnlisted(7, 0);
      later(60_000, agent);
      await agent.deliver();
    }
    master.fault = () => 'none';
    // It looks for the newer wire at once when it begins again.
    agent.close();
    agent = start();
    later(1000, agent);
    await agent.deliver();
    expect(records()).toEqual({ [`router ${live}`]: [5300, 30] });
    const sum = (sql: string) => master.merger.db.prepare(sql).pluck().get();
    expect(sum('SELECT total(down) FROM core_totals')).toBe(2300 + 2 * 7);
    expect(sum('SELECT total(unmeasured_down) FROM core_totals')).toBe(3000);
    expect(sum('SELECT total(down) FROM pending_facts WHERE kind = 2')).toBe(2 * 7);
  });

  it('keeps what cannot be delivered where people can see it', async () => {
    const agent = takeOver([
      originalRow('negative', { conn_download: -5 }),
      originalRow('huge', { conn_download: 9_223_372_036_854_775_807n }),
      originalRow('odd', { last_updated: 'unreadable', start: '', source_geoip: null, chains: null }),
    ]);
    await agent.deliver();
    expect(records()).toEqual({ 'router odd': [100, 10] });
    const quarantine = agent.journal.db.prepare('SELECT code FROM quarantine').all();
    expect(quarantine).toHaveLength(2);
  });
});

describe('the original’s file, with another --agent-id', () => {
  it('keeps its rows under their id, and begins anew under the given one', async () => {
    const live = core.open({ type: 'HTTPS' }, { download: 5000 });
    const agent = takeOver([originalRow(live, { conn_download: 3000, conn_upload: 0 })], 'renamed');
    agent.look();
    core.move(live, 40, 0);
    later(1000, agent);
    await agent.deliver();
    expect(records()).toEqual({ [`router ${live}`]: [3000, 0], [`renamed ${live}`]: [5040, 0] });
    const booked = master.merger.db
      .prepare('SELECT total(down) AS down FROM pending_facts WHERE kind = 0')
      .get();
    expect(booked).toEqual({ down: 3040 });
  });
});
