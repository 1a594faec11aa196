import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReader } from '../../src/common/sqlite.ts';
import { Household } from './household.ts';

let house: Household;
beforeEach(async () => {
  house = new Household();
  await house.start();
});
afterEach(() => house.close());

interface Row {
  agent_id: string;
  state: string;
  difference: { download: number; upload: number };
  gaps: unknown[];
}

/** Every byte of every connection is in the facts once, by the master's answers and by the stores themselves. */
async function everythingIsRight(): Promise<void> {
  await house.settle();
  for (const { id, core } of house.members) {
    const seen = [...core.truth.connections.values()];
    const { body } = await house.master.get(`/stats?type=group&group_by=host&limit=1000&agent=${id}`);
    const byHost = new Map(body.data.map((row: { host: string }) => [row.host, row]));
    const hosts = Map.groupBy(seen, ({ host }) => host);
    expect(byHost.size).toBe(hosts.size);
    for (const [host, connections] of hosts) {
      const sum = (of: 'listedDownload' | 'listedUpload') =>
        connections.reduce((bytes, connection) => bytes + connection[of], 0);
      expect(byHost.get(host)).toMatchObject({
        download: sum('listedDownload'),
        upload: sum('listedUpload'),
        count: connections.length,
      });
    }
  }
  const { body } = await house.master.get('/verify?from=2026-07-01T00:00:00Z&to=2026-07-02T00:00:00Z');
  expect(body.data).toHaveLength(house.members.length);
  for (const row of body.data as Row[]) {
    expect(row).toMatchObject({ state: 'balanced', difference: { download: 0, upload: 0 } });
  }
}

function lotsWithoutRows(): number {
  const db = openReader(house.paths.records);
  const count = db.prepare("SELECT count(*) FROM lots WHERE state = 'dropped'").pluck().get();
  db.close();
  return Number(count);
}

describe('stores restored from copies of different ages, while agents go on', () => {
  it.each([
    ['the older', 'the older'],
    ['the older', 'the newer'],
    ['the newer', 'the older'],
    ['the newer', 'the newer'],
  ])('records from %s copy, facts from %s', async (records, facts) => {
    await house.minutes(4);
    const older = await house.backup();
    expect(lotsWithoutRows()).toBeGreaterThan(0);
    await house.minutes(4);
    const newer = await house.backup();
    await house.minutes(4);
    await house.stop();
    const copies: Record<string, string> = { 'the older': older, 'the newer': newer };
    await house.restore(copies[records] ?? '', 'records');
    await house.restore(copies[facts] ?? '', 'facts');
    await house.minutes(3);
    await house.start();
    // Facts of which the records know nothing go first; what the facts lack is in the records still.
    const cuts = records === 'the older' && facts === 'the newer' ? 1 : 0;
    expect(house.master.flusher.metrics).toMatchObject({ cuts, gaps: 0 });
    await house.minutes(3);
    await everythingIsRight();
    expect(house.master.flusher.metrics).toMatchObject({ cuts, gaps: 0, failures: 0 });
  });

  it.each(['records', 'facts'] as const)('%s alone, beside the other store as it was', async (side) => {
    await house.minutes(6);
    const backup = await house.backup();
    await house.minutes(6);
    await house.stop();
    const { keptAs } = await house.restore(backup, side);
    await house.start();
    await house.minutes(3);
    await everythingIsRight();
    const files = readdirSync(dirname(house.paths.records));
    for (const path of keptAs) expect(files).toContain(path.slice(dirname(path).length + 1));
    expect(files.filter((name) => /part|\.restore$/.test(name))).toEqual([]);
  });

  it('both from one copy, twice, with the first try kept beside the second', async () => {
    await house.minutes(4);
    const backup = await house.backup();
    for (let time = 0; time < 2; time++) {
      await house.stop();
      const { keptAs } = await house.restore(backup, 'records', 'facts');
      expect(keptAs.length).toBeGreaterThanOrEqual(2);
      await house.start();
      await house.minutes(2);
    }
    await everythingIsRight();
  });
});
