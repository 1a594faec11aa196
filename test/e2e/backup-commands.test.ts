import { existsSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { v1Body, v1Record } from '../support/bodies.ts';
import { RunningCommand, runCommand } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { MasterProcess } from '../support/master.ts';
import { waitFor } from '../support/wait.ts';

let directory: TestDirectory;
let master: MasterProcess;
let database: string;
let fake: Server | undefined;
beforeEach(async () => {
  directory = new TestDirectory();
  database = directory.file('master.db');
  master = await MasterProcess.start({ database });
  const records = Array.from({ length: 300 }, (_, index) => v1Record(`c${index}`, 1000 + index));
  await master.post('/api/v1/sync', v1Body('home', records));
  await waitFor('facts of all of them', async () => (await summary()).count === 300);
});
afterEach(async () => {
  fake?.close();
  await master.command.kill();
  directory.remove();
});

const backups = () =>
  existsSync(directory.file('backup'))
    ? readdirSync(directory.file('backup')).filter((name) => name !== 'backup.lock')
    : [];
const command = (...args: string[]) => runCommand(args);
const summary = () => master.data<{ count: number; download: number }>('/stats?type=summary');

async function restart(): Promise<void> {
  master = await MasterProcess.start({ database });
}

describe('backup, restore and compact', () => {
  it('make a copy beside the running master, put it back, and give space back', async () => {
    const before = await summary();
    const made = await command('backup', '--url', master.url);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const [, path = ''] =
      /^made (\S+backup-\S+Z) \(.+\), and read back both copies\n$/.exec(made.stdout) ?? [];
    expect(readdirSync(path).sort()).toEqual(['facts.duckdb', 'manifest.json', 'records.db']);
    const { components } = await master.data<{ components: Record<string, { values: { newest: number } }> }>(
      '/ready',
    );
    expect(components.backup?.values.newest).toBeGreaterThan(0);

    expect(await command('restore', path, '--database', database)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`in use by process ${master.command.pid}`),
    });
    await master.command.stop();
    const restored = await command('restore', path, '--database', database);
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    expect(restored.stdout).toContain(`${database}.before-restore-`);
    const compacted = await command('compact', '--database', database);
    expect(compacted).toMatchObject({ code: 0, stderr: '' });
    expect(compacted.stdout).toMatch(/^records: .+ before, .+ now\nfacts: .+ before, .+ now\n$/);
    const atRest = await command(
      'backup',
      '--database',
      database,
      '--backup-directory',
      directory.file('elsewhere'),
    );
    expect(atRest.code).toBe(0);
    expect(atRest.stdout).toContain(directory.file('elsewhere'));
    await restart();
    expect(await summary()).toEqual(before);
  });

  it('say what to do when a master has the files', async () => {
    const { code, stderr } = await command('backup', '--database', database);
    expect(code).toBe(2);
    expect(stderr).toContain('--url');
    expect(backups()).toEqual([]);
  });

  it('say what is wrong with the master that is asked', async () => {
    const args = ['--api-token', 'the-right-token-of-this-test'];
    const guarded = MasterProcess.launch({ database: directory.file('guarded.db'), args });
    const [, url = ''] = await guarded.said(/"api":"(http:.+?)\/api\/v1"/);
    const wrong = await command('backup', '--url', url, '--token', 'wrong');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('the token is wrong') });
    await guarded.stop();
    const nobody = await command('backup', '--url', 'http://127.0.0.1:9');
    expect(nobody).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no answer from http://127.0.0.1:9'),
    });
    fake = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    await waitFor('a server', () => fake?.listening);
    const other = await command(
      'backup',
      '--url',
      `http://127.0.0.1:${(fake.address() as AddressInfo).port}`,
    );
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('not as a master does') });
    expect(other.stderr).not.toMatch(/\n\s+at /);
  });

  it('name what is wrong with their options, all at once', async () => {
    const { code, stderr } = await command('restore', '--only', 'all', '--databse', 'x');
    expect(code).toBe(2);
    for (const word of ['BACKUP', '--only', '--databse']) expect(stderr).toContain(word);
  });
});

describe('a command that is interrupted', () => {
  /** Something half done is there: the work is under way. */
  const isUnderWay = () =>
    [...readdirSync(directory.path), ...backups()].some((name) => name.endsWith('.part'));

  /** Without SQLite's log, which a process that is killed leaves empty. */
  const content = () => readdirSync(directory.path).filter((name) => !/-(wal|shm)$/.test(name));

  async function interrupt(...args: string[]): Promise<RunningCommand> {
    const running = new RunningCommand(args);
    await waitFor('work under way', isUnderWay, { everyMs: 2 });
    running.signal('SIGINT');
    const { code } = await running.exited;
    expect([code, running.stderr]).toEqual([1, expect.stringContaining('was interrupted')]);
    return running;
  }

  it('leaves nothing: a backup by the master', async () => {
    await interrupt('backup', '--url', master.url);
    await waitFor('nothing left', () => backups().length === 0);
    expect((await command('backup', '--url', master.url)).code).toBe(0);
  });

  it.each(['backup', 'restore', 'compact'])('leaves everything as it was: %s at rest', async (name) => {
    await command('backup', '--url', master.url);
    const before = await summary();
    await master.command.stop();
    const files = content();
    const [made = ''] = backups();
    const words = name === 'restore' ? [join(directory.file('backup'), made)] : [];
    await interrupt(name, ...words, '--database', database);
    expect(content()).toEqual(files);
    expect(backups()).toEqual([made]);
    await restart();
    expect(await summary()).toEqual(before);
  });
});
