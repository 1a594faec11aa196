import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer as createPlainServer, request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileLock } from '../../src/common/file-lock.ts';
import { v1Body, v1Record } from '../support/bodies.ts';
import { runCommand, SOURCES } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { WholeMaster } from '../support/whole-master.ts';

const [CERT, KEY] = ['cert.pem', 'key.pem'].map((name) =>
  fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url)),
) as [string, string];
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

  it('takes facts of the tier that is asked for, as the API does', async () => {
    for (const tier of ['minute', 'half_hour']) {
      const { code, stdout } = await ofMaster('--tier', tier, '--format', 'ndjson');
      expect(code).toBe(0);
      const tiers = stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { tier: string }).tier);
      expect([...new Set(tiers)]).toEqual([tier]);
    }
    const idle = await command('export', '--what', 'connections', '--tier', 'minute', '--query', '{}');
    expect(idle.code).toBe(2);
    expect(idle.stderr.match(/would do nothing with --what connections/g)).toHaveLength(2);
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

  it('asks one behind a proxy with a certificate and a path of its own', async () => {
    const proxy = createServer({ key: readFileSync(KEY), cert: readFileSync(CERT) }, (asked, answer) => {
      const path = asked.url?.replace('/tracker', '') ?? '';
      const call = request(master.url + path, { method: asked.method, headers: asked.headers }, (given) => {
        answer.writeHead(given.statusCode ?? 0, given.headers);
        given.pipe(answer);
      });
      asked.pipe(call);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const url = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}/tracker`;
    const args = ['export', '--url', url, '--token', WholeMaster.TOKEN, '--what', 'connections'];
    const trusted = await command(...args, '--ca', CERT);
    expect(trusted).toMatchObject({ code: 0, stdout: (await ofMaster('--what', 'connections')).stdout });
    const stranger = await command(...args);
    expect(stranger).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`no answer from ${url}: self`),
    });
    const unreadable = await command(...args, '--ca', directory.file('no.pem'));
    expect(unreadable).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--ca .*no\.pem cannot be read/),
    });
    proxy.close();
  });

  it('keeps nothing of a master that breaks off', async () => {
    const server = createPlainServer((asked, answer) => {
      if (asked.method === 'POST') {
        answer.end('{"status":"success","data":{"url":"/api/v1/export?ticket=x","expires":""},"meta":{}}');
        return;
      }
      answer.write('half a line', () => answer.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const output = directory.file('broken.csv');
    expect(await command('export', '--url', url, '--output', output)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`no answer from ${url}`),
    });
    expect(readdirSync(directory.path).filter((name) => name.startsWith('broken'))).toEqual([]);
    server.close();
  });

  it('tells all that is wrong, and writes nothing', async () => {
    const output = directory.file('never.csv');
    const wrong = await ofMaster('--from', 'sometimes', '--filter', 'x =', '--output', output);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('--from: must be');
    expect(wrong.stderr).toContain('  --filter\n      x =');
    expect(wrong.stderr).not.toContain('facts.');
    const query = '{"group_by": ["hots"], "agents": ["nobody"], "filter": "x ="}';
    const asked = await ofMaster('--what', 'query', '--query', query, '--output', output);
    for (const named of [
      '--query: group_by[0]',
      '--query: agents: there is no agent "nobody"',
      '--query: filter\n      x =',
    ]) {
      expect(asked.stderr).toContain(named);
    }
    const unwritable = await ofMaster('--output', directory.file('no/such.csv'));
    expect(unwritable).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('such.csv cannot be written: '),
    });
    expect(existsSync(output)).toBe(false);
    const refused = await command('export', '--url', master.url, '--token', 'wrong');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('the token is wrong') });
    const nowhere = await command('export', '--url', 'http://127.0.0.1:1');
    expect(nowhere).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no answer from http://127.0.0.1:1'),
    });
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
