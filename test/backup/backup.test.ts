import { existsSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReader } from '../../src/common/sqlite.ts';
import { backupAtRest } from '../../src/master/backup/at-rest.ts';
import { readManifest } from '../../src/master/backup/manifest.ts';
import { inspectRecords } from '../../src/master/backup/records-files.ts';
import { waitFor } from '../support/wait.ts';
import { WholeMaster } from '../support/whole-master.ts';
import { Household, QUIET, storePaths } from './household.ts';

let house: Household;
beforeEach(async () => {
  house = new Household();
  await house.start();
});
afterEach(() => house.close());

const backups = () => join(house.directory.path, 'backup');
const made = () => readdirSync(backups()).filter((name) => name.startsWith('backup-'));
const mode = (path: string) => statSync(path).mode & 0o777;

interface Line {
  status: string;
  step?: string;
  code?: string;
  data?: { path: string; bytes: number; common_lot: { lot: number } | null };
}
const linesOf = (texts: readonly string[]) => texts.map((text) => JSON.parse(text) as Line);

describe('a backup of a running master', () => {
  it('says how far it is, and is whole: for its owner alone, with what each file holds', async () => {
    await house.minutes(3);
    const lines = linesOf(await house.master.backup());
    expect(new Set(lines.slice(0, -1).map(({ status }) => status))).toEqual(new Set(['running']));
    expect(new Set(lines.map(({ step }) => step))).toContain('copying records');
    const last = lines.at(-1);
    expect(last).toMatchObject({ status: 'success', data: { common_lot: { lot: expect.any(Number) } } });
    const path = last?.data?.path ?? '';
    expect(readdirSync(path).sort()).toEqual(['facts.duckdb', 'manifest.json', 'records.db']);
    for (const name of readdirSync(path)) expect(mode(join(path, name))).toBe(0o600);
    expect([mode(path), mode(backups())]).toEqual([0o700, 0o700]);
    const { files, commonLot } = readManifest(path);
    expect(await inspectRecords(join(path, 'records.db'), QUIET)).toEqual(files['records.db']);
    expect(await house.paths.files.inspect(join(path, 'facts.duckdb'), QUIET)).toEqual(files['facts.duckdb']);
    expect(commonLot).toEqual(files['facts.duckdb'].newest);
    expect(files['records.db'].storeId).toBe(files['facts.duckdb'].storeId);
  });

  it('never takes the place of another', async () => {
    await house.minutes(1);
    const paths = [await house.backup(), await house.backup(), await house.backup()];
    expect(new Set(paths).size).toBe(3);
    for (const path of paths) readManifest(path);
  });

  it('lets the records forget what it has, and nothing else', async () => {
    await house.minutes(3);
    await house.backup();
    await house.minutes(1);
    const db = openReader(house.paths.records);
    try {
      const lots = db.prepare('SELECT lot, state FROM lots ORDER BY lot').all() as {
        lot: number;
        state: string;
      }[];
      const mark = Number(db.prepare("SELECT value FROM meta WHERE key = 'backup_lot'").pluck().get());
      expect(mark).toBeGreaterThan(0);
      for (const { lot, state } of lots)
        expect([lot, state]).toEqual([lot, lot <= mark ? 'dropped' : 'flushed']);
      expect(db.prepare('SELECT count(*) FROM pending_facts WHERE lot <= ?').pluck().get(mark)).toBe(0);
      expect(
        db.prepare('SELECT count(*) FROM pending_facts WHERE lot > ?').pluck().get(mark),
      ).toBeGreaterThan(0);
    } finally {
      db.close();
    }
  });

  it('is one at a time', async () => {
    await house.minutes(1);
    const [one, two] = await Promise.all([house.master.backup(), house.master.backup()]);
    const ends = [one, two].map((lines) => linesOf(lines).at(-1));
    expect(ends.map((end) => end?.status).sort()).toEqual(['error', 'success']);
    expect(ends.find((end) => end?.status === 'error')).toMatchObject({ code: 'busy' });
    expect(made()).toHaveLength(1);
  });

  it('is ended by a client that leaves, with nothing left of it, and another can be made', async () => {
    await house.minutes(2);
    const leaving = new AbortController();
    await expect(
      house.master.backup({ signal: leaving.signal, onText: () => leaving.abort() }),
    ).rejects.toThrow();
    await waitFor('nothing left', () => made().length === 0);
    const path = await waitFor('another', () => house.backup());
    readManifest(path);
  });

  it('is ended by a stop of the master, with nothing left of it', async () => {
    await house.minutes(2);
    let stopped: Promise<void> | undefined;
    const lines = house.master.backup({
      onText: () => {
        stopped ??= house.stop();
      },
    });
    const ended = await lines.then(
      (texts) => linesOf(texts).at(-1)?.status,
      () => 'cut',
    );
    await stopped;
    // Whoever is as slow to stop it as a backup takes finds it made, and made whole.
    expect(made()).toHaveLength(ended === 'success' ? 1 : 0);
    expect(made().filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('takes away what one whose process died has left', async () => {
    const left = join(backups(), 'backup-2026-01-01T00-00-00Z.part');
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, 'facts.duckdb'), 'half of it');
    mkdirSync(join(backups(), 'mine.part'));
    await house.backup();
    expect(existsSync(left)).toBe(false);
    expect(existsSync(join(backups(), 'mine.part'))).toBe(true);
  });

  it('does not fill the disk', async () => {
    await expect(backupOfHuge()).rejects.toMatchObject({ code: 'disk_full', status: 507 });
    expect(made()).toEqual([]);
  });

  it('is refused where there is no right to make one', async () => {
    const answer = await fetch(`${house.master.url}/api/v1/storage/backup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(answer.status).toBe(401);
    const named = await fetch(`${house.master.url}/api/v1/storage/backup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${WholeMaster.TOKEN}` },
      body: JSON.stringify({ directory: '/etc' }),
    });
    expect(named.status).toBe(400);
    expect(existsSync(backups())).toBe(false);
  });
});

/** A backup at rest of stores that are larger than the disk: most of the file is a hole. */
function backupOfHuge() {
  const paths = storePaths(house.directory.path, 'huge');
  writeFileSync(paths.records, '');
  writeFileSync(paths.facts, '');
  truncateSync(paths.facts, 15 * 2 ** 40);
  return backupAtRest(paths, backups(), QUIET);
}

describe('a backup beside ingest', () => {
  it('is of one moment, and nothing that comes meanwhile is lost', async () => {
    await house.minutes(3);
    let done = false;
    const backup = house.backup().finally(() => {
      done = true;
    });
    let during = 0;
    while (!done) {
      await house.minutes(1);
      during++;
    }
    const path = await backup;
    expect(during).toBeGreaterThan(1);
    await house.settle();
    const { files } = readManifest(path);
    await house.stop();
    const now = await inspectRecords(house.paths.records, QUIET);
    expect(files['records.db'].download).toBeLessThan(now.download);
    for (const { id, core } of house.members) {
      const db = openReader(house.paths.records);
      const down = db
        .prepare('SELECT total(conn_download) FROM connections WHERE agent_id = ?')
        .pluck()
        .get(id);
      db.close();
      const truth = [...core.truth.connections.values()].reduce((sum, one) => sum + one.listedDownload, 0);
      expect(down).toBe(truth);
    }
  });
});
