import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileLock } from '../../src/common/file-lock.ts';
import { v1Body, v1Record } from '../support/bodies.ts';
import { runCommand, SOURCES } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { WholeMaster } from '../support/whole-master.ts';

const directory = new TestDirectory();
const running = new TestDirectory();
let master: WholeMaster;
beforeAll(async () => {
  const stopped = await new WholeMaster(directory.path).start();
  await stopped.post('v1', v1Body('home', [v1Record('a', 5, { process: '=x' }), v1Record('b', 7)]));
  await stopped.stop();
  master = await new WholeMaster(running.path).start();
  await master.post('v1', v1Body('office', [v1Record('c', 9, { process: 'curl' }), v1Record('d', 1)]));
});
afterAll(async () => {
  await master.stop();
  directory.remove();
  running.remove();
});

const command = (...args: string[]) => runCommand(args, { program: SOURCES });
const ofFile = (...args: string[]) => command(...args, '--database', directory.file('master.db'));
const ofMaster = (...args: string[]) =>
  command('export', '--url', master.url, '--token', WholeMaster.TOKEN, ...args);

describe('export', () => {
  it('reads the files of a master that is stopped', async () => {
    const { code, stdout, stderr } = await ofFile('export', '--what', 'connections', '--format', 'ndjson');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string });
    expect(rows.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('writes a file that is whole or not there', async () => {
    const file = directory.file('facts.parquet');
    expect(await ofFile('export', '--format', 'parquet', '--output', file)).toMatchObject({ code: 0 });
    expect(readFileSync(file).subarray(0, 4).toString()).toBe('PAR1');
    expect(readdirSync(directory.path).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('asks a running master', async () => {
    const { code, stdout } = await ofMaster('--filter', 'process = curl', '--what', 'facts');
    expect(code).toBe(0);
    expect(stdout.split('\r\n')).toHaveLength(3);
    const query = await ofMaster('--what', 'query', '--query', '{"group_by":["agent"]}');
    expect(query.stdout).toBe(
      'part,agent,download,upload,total\r\ngroup,office,10,0,10\r\nunattributed,,0,0,0\r\n',
    );
  });

  it('tells all that is wrong, and writes nothing', async () => {
    const output = directory.file('never.csv');
    const wrong = await ofMaster('--from', 'sometimes', '--filter', 'x =', '--output', output);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('facts.from: must be');
    expect(existsSync(output)).toBe(false);
    const refused = await command('export', '--url', master.url, '--token', 'wrong');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('the token is wrong') });
    const nowhere = await command('export', '--url', 'http://127.0.0.1:1');
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be reached') });
    const missing = await command('export', '--database', directory.file('no.db'));
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no database') });
  });
});

describe('import', () => {
  it('takes records of another master, and again changes nothing', async () => {
    const file = running.file('records.csv');
    expect((await ofMaster('--what', 'connections', '--output', file)).code).toBe(0);
    expect(await ofFile('import', file)).toMatchObject({
      code: 0,
      stdout: '2 new, 0 with more bytes, 0 known already, 0 refused\n',
    });
    expect((await ofFile('import', file)).stdout).toContain('0 new, 0 with more bytes, 2 known already');
    const { stdout } = await ofFile('export', '--what', 'query', '--query', '{"group_by":["agent"]}');
    expect(stdout).toContain('group,home,12,0,12\r\ngroup,office,10,0,10\r\n');
  });

  it('does not go near a database that a master has open', async () => {
    const held = directory.file('held.db');
    const lock = FileLock.take(held, 'records database');
    const file = running.file('records.csv');
    const refused = await command('import', file, '--database', held);
    lock.release();
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`in use by process ${process.pid}`),
    });
    expect(existsSync(held)).toBe(false);
  });
});
