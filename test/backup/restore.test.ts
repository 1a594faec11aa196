import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FileLock } from '../../src/common/file-lock.ts';
import { backupAtRest } from '../../src/master/backup/at-rest.ts';
import { compactStores } from '../../src/master/backup/compact.ts';
import { inspectRecords } from '../../src/master/backup/records-files.ts';
import { restoreBackup, SIDES, type Side } from '../../src/master/backup/restore.ts';
import { runCommand, SOURCES } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { Household, QUIET, storePaths } from './household.ts';

const template = new TestDirectory();
let scratch: TestDirectory;
let place: string;
let backup: string;

beforeAll(async () => {
  const house = new Household();
  try {
    await house.start();
    await house.minutes(3);
    const path = await house.backup();
    await house.minutes(2);
    await house.stop();
    cpSync(house.directory.path, template.path, { recursive: true });
    renameSync(template.file(path.slice(house.directory.path.length + 1)), template.file('copy'));
  } finally {
    await house.close();
  }
}, 60_000);
afterAll(() => template.remove());

beforeEach(() => {
  scratch = new TestDirectory();
  place = scratch.path;
  cpSync(template.path, place, { recursive: true });
  backup = join(place, 'copy');
  return () => scratch.remove();
});

/** Every file of the master and its time: nothing of it was touched when they are the same. */
function state(): Record<string, number> {
  const names = readdirSync(place).filter((name) => name.startsWith('master.') && !name.endsWith('.lock'));
  return Object.fromEntries(names.map((name) => [name, statSync(join(place, name)).mtimeMs]));
}

const restore = (sides: readonly Side[] = SIDES, from = backup) =>
  restoreBackup(from, storePaths(place), sides, QUIET);

async function refused(restoring: Promise<unknown>, expected: object): Promise<void> {
  const before = state();
  await expect(restoring).rejects.toMatchObject(expected);
  expect(state()).toEqual(before);
}

function edit(name: string, change: (bytes: Buffer) => void): void {
  const path = join(backup, name);
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
}

function editManifest(change: (manifest: ReturnType<typeof JSON.parse>) => void): void {
  const path = join(backup, 'manifest.json');
  const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}

describe('a restore is refused, and nothing is touched,', () => {
  it.each(['records.db', 'facts.duckdb'])('when a bit of %s was lost', async (name) => {
    edit(name, (bytes) => {
      const at = Math.floor(bytes.length / 2);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    });
    await refused(restore(), { code: 'backup_invalid', message: expect.stringContaining(name) });
  });

  it('when it is the directory of backups, and names the newest', async () => {
    await refused(restore(SIDES, dirname(backup)), {
      code: 'backup_invalid',
      message: expect.stringContaining(`its newest backup is ${backup}`),
    });
  });

  it.each(['records.db', 'facts.duckdb', 'manifest.json'])('when there is no %s', async (name) => {
    rmSync(join(backup, name));
    await refused(restore(), { code: 'backup_invalid', message: expect.stringContaining(name) });
  });

  it('when the files hold something else than the backup says', async () => {
    editManifest(({ files }) => {
      files['records.db'].connections += 1;
      files['records.db'].download += 1;
    });
    await refused(restore(), { message: expect.stringContaining('connections, download') });
    editManifest(({ files }) => {
      files['records.db'].connections -= 1;
      files['records.db'].download -= 1;
      files['facts.duckdb'].tables.minute.rows = '7';
    });
    await refused(restore(), { code: 'backup_invalid', message: expect.stringContaining('tables') });
  });

  it('when the manifest is no manifest, with all that is wrong with it', async () => {
    editManifest((manifest) => {
      manifest.files['records.db'].sha256 = 'abc';
      manifest.files['facts.duckdb'].bytes = -1;
      delete manifest.madeAt;
    });
    const fields = ['madeAt', 'files.records.db.sha256', 'files.facts.duckdb.bytes'];
    await refused(restore(), {
      code: 'backup_invalid',
      details: expect.arrayContaining(fields.map((field) => expect.objectContaining({ field }))),
    });
    writeFileSync(join(backup, 'manifest.json'), '{');
    await refused(restore(), { code: 'backup_invalid' });
  });

  it('when it was made by a later version', async () => {
    editManifest((manifest) => {
      manifest.format = 2;
    });
    await refused(restore(), { code: 'file_newer' });
  });

  it('when there is no such directory', async () => {
    await refused(restore(SIDES, join(place, 'nowhere')), { code: 'file_unusable' });
  });

  it('while a master has the database', async () => {
    const lock = FileLock.take(storePaths(place).records, 'records database');
    await refused(restore(), { code: 'file_in_use' });
    await refused(compactStores(storePaths(place), SIDES, QUIET), { code: 'file_in_use' });
    await refused(backupAtRest(storePaths(place), join(place, 'backup'), QUIET), { code: 'file_in_use' });
    lock.release();
  });

  it('where a link leads elsewhere, of which only the link would be exchanged', async () => {
    mkdirSync(join(place, 'elsewhere'));
    renameSync(join(place, 'master.db'), join(place, 'elsewhere', 'master.db'));
    symlinkSync(join(place, 'elsewhere', 'master.db'), join(place, 'master.db'));
    await refused(restore(), { code: 'file_unusable', message: expect.stringContaining('symbolic link') });
    await refused(compactStores(storePaths(place), SIDES, QUIET), { code: 'file_unusable' });
  });

  it('of one side that would not belong to the other', async () => {
    const other = new Household();
    try {
      await other.start();
      await other.minutes(1);
      await other.stop();
      for (const side of SIDES) copyFileSync(other.paths[side], storePaths(place)[side]);
    } finally {
      await other.close();
    }
    await refused(restore(['records']), { code: 'file_foreign' });
    await refused(restore(['facts']), { code: 'file_foreign' });
    await restore();
  });

  it('of facts where there are no records', async () => {
    rmSync(join(place, 'master.db'));
    await refused(restore(['facts']), { code: 'file_unusable' });
  });

  it('when it is called off, and it leaves nothing', async () => {
    const before = readdirSync(place);
    const told = new AbortController();
    const steps = new Set<string>();
    const report = ({ step }: { step: string }) => {
      steps.add(step);
      if (step === 'checking facts') told.abort(new Error('enough'));
    };
    await refused(restoreBackup(backup, storePaths(place), SIDES, { signal: told.signal, report }), {
      message: 'enough',
    });
    expect(readdirSync(place).filter((name) => name !== 'master.db.lock')).toEqual(before);
    expect(steps).toContain('checking records');
  });
});

describe('a restore', () => {
  it('makes a master on a machine that had none', async () => {
    const fresh = storePaths(join(place, 'fresh'), 'tracker');
    mkdirSync(join(place, 'fresh'));
    const { keptAs, paths } = await restoreBackup(backup, fresh, SIDES, QUIET);
    expect(keptAs).toEqual([]);
    expect(paths).toEqual([fresh.records, fresh.facts]);
    expect(await inspectRecords(fresh.records, QUIET)).toEqual(
      await inspectRecords(join(backup, 'records.db'), QUIET),
    );
    expect(statSync(fresh.records).mode & 0o777).toBe(0o600);
  });

  it('leaves the backup as it is, where nothing can be written, too', async () => {
    const before = readdirSync(backup).map((name) => [name, statSync(join(backup, name)).mtimeMs]);
    await restore();
    expect(readdirSync(backup).map((name) => [name, statSync(join(backup, name)).mtimeMs])).toEqual(before);
  });

  it('takes the logs of a crash away together with their files', async () => {
    for (const ending of ['db-wal', 'db-shm', 'facts.duckdb.wal']) {
      writeFileSync(join(place, `master.${ending}`), 'of the file before');
    }
    const { keptAs } = await restore();
    for (const ending of ['db-wal', 'db-shm', 'facts.duckdb.wal']) {
      expect(existsSync(join(place, `master.${ending}`))).toBe(false);
    }
    expect(keptAs.filter((path) => /-(wal|shm)$|\.wal$/.test(path))).toHaveLength(3);
  });
});

describe('a backup at rest', () => {
  it('holds both stores as they are', async () => {
    const { path, covered } = await backupAtRest(storePaths(place), join(place, 'backup'), QUIET);
    expect(covered).toBe(0);
    const before = await inspectRecords(join(place, 'master.db'), QUIET);
    rmSync(join(place, 'master.db'));
    await restore(SIDES, path);
    const { bytes: _, sha256: __, ...content } = await inspectRecords(join(place, 'master.db'), QUIET);
    expect(before).toMatchObject(content);
  });

  it('is refused where the facts know lots that the records do not', async () => {
    copyFileSync(join(backup, 'records.db'), join(place, 'master.db'));
    await refused(backupAtRest(storePaths(place), join(place, 'backup'), QUIET), {
      code: 'backup_invalid',
      message: expect.stringContaining('do not know lot'),
    });
    expect(readdirSync(join(place, 'backup'))).toEqual(['backup.lock']);
  });

  it.each([
    ['there is no database', () => rmSync(join(place, 'master.db')), 'file_missing'],
    ['there are no facts', () => rmSync(join(place, 'master.facts.duckdb')), 'file_missing'],
    [
      'the records are damaged',
      () => {
        const bytes = readFileSync(join(place, 'master.db'));
        bytes.fill(0xaa, 8192, bytes.length - 4096);
        writeFileSync(join(place, 'master.db'), bytes);
      },
      'file_damaged',
    ],
  ])('is refused where %s, and leaves nothing', async (_name, spoil, code) => {
    spoil();
    await refused(backupAtRest(storePaths(place), join(place, 'backup'), QUIET), { code });
    const made = existsSync(join(place, 'backup')) ? readdirSync(join(place, 'backup')) : [];
    expect(made.filter((name) => name !== 'backup.lock')).toEqual([]);
  });
});

describe('a compaction', () => {
  it('keeps what is in both stores, and the right to read them', async () => {
    const paths = storePaths(place);
    const before = await inspectRecords(paths.records, QUIET);
    const [records, facts] = await compactStores(paths, SIDES, QUIET);
    expect(records).toMatchObject({ side: 'records', before: before.bytes });
    expect(facts).toMatchObject({ side: 'facts', dropped: { host: 0 } });
    const { bytes, sha256: _, ...content } = await inspectRecords(paths.records, QUIET);
    expect(before).toMatchObject(content);
    expect(bytes).toBe(records?.after);
    expect(readdirSync(place).filter((name) => /part/.test(name))).toEqual([]);
  });

  it('drops texts that no record has, and no other', async () => {
    const paths = storePaths(place);
    const read = () => {
      const db = new Database(paths.records);
      const all = (sql: string) => db.prepare(sql).all();
      const content = {
        rows: all('SELECT * FROM connections ORDER BY num'),
        texts: all('SELECT * FROM texts'),
      };
      db.close();
      return content;
    };
    const [records] = await compactStores(paths, ['records'], QUIET);
    expect(records?.dropped).toEqual({ text: 0 });
    const before = read();
    expect(before.rows.length).toBeGreaterThan(0);
    const db = new Database(paths.records);
    db.exec("INSERT INTO texts (text) VALUES ('of a record that is gone'), ('of another')");
    db.close();
    expect((await compactStores(paths, ['records'], QUIET))[0]?.dropped).toEqual({ text: 2 });
    expect(read()).toEqual(before);
  });

  it('is of one store where one is asked for, and refused where there is nothing', async () => {
    expect((await compactStores(storePaths(place), ['facts'], QUIET)).map(({ side }) => side)).toEqual([
      'facts',
    ]);
    const nowhere = storePaths(place, 'other');
    await refused(compactStores(nowhere, SIDES, QUIET), {
      code: 'file_missing',
      message: expect.stringContaining(`no ${nowhere.records} and no ${nowhere.facts}`),
    });
    const command = await runCommand(['compact', '--database', nowhere.records], { program: SOURCES });
    expect(command).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(nowhere.records) });
    rmSync(storePaths(place).facts);
    await refused(compactStores(storePaths(place), ['facts'], QUIET), { code: 'file_missing' });
  });

  it('leaves everything as it is when it is called off', async () => {
    const told = new AbortController();
    const report = ({ step }: { step: string }) => {
      if (step === 'compacting records') told.abort(new Error('enough'));
    };
    const before = readdirSync(place);
    const task = { signal: told.signal, report };
    await refused(compactStores(storePaths(place), SIDES, task), { message: 'enough' });
    expect(readdirSync(place).filter((name) => name !== 'master.db.lock')).toEqual(before);
  });
});
