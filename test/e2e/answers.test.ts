import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { widthOf } from '../../src/agent/monitor/width.ts';
import { connectionRow, v1Body, v1Record, v2Body } from '../support/bodies.ts';
import { runCommand, SOURCES } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { MasterProcess } from '../support/master.ts';
import { waitFor } from '../support/wait.ts';

/** A terminal is made by `script` of util-linux, where there is one. */
const HAS_TERMINAL = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') ?? false;

/** The hour before the last one, on a half hour: over for every agent, and kept by the minute. */
const MINUTE = Math.floor(Date.now() / 1_800_000) * 30 - 120;
const at = (minute: number): string => new Date((MINUTE + minute) * 60_000).toISOString();
const RANGE = ['--from', at(0), '--to', at(60), '--tz', 'UTC'];
const TOKEN = 'a-token-of-the-tests';
const LONG = `${'a-very-long-name-'.repeat(6)}.cdn.example.com`;

let directory: TestDirectory;
let database: string;
let master: MasterProcess;
let tokenFile: string;

beforeAll(async () => {
  directory = new TestDirectory();
  database = directory.file('master.db');
  tokenFile = directory.file('token');
  writeFileSync(tokenFile, `${TOKEN}\n`);
  master = await MasterProcess.start({ database, program: SOURCES });
  const ms = (minute: number) => (MINUTE + minute) * 60_000;
  const record = (id: string, bytes: number, host: string) =>
    v1Record(id, bytes, { host, start: at(0), last_updated: at(5), chains: '["Proxy","🇭🇰 香港"]' });
  const old = [
    record('a', 3 * 2 ** 30, '视频.example'),
    record('b', 2 ** 20, LONG),
    record('c', 2048, '=HYPERLINK("x")'),
    record('d', 10, 'small.example'),
  ];
  await master.post('/api/v1/sync', v1Body('old', old));
  const body = v2Body('new', {
    strings: ['c', '', 'new.example.org'],
    connections: [connectionRow(0, 1, { fields: { host: 2 } })],
    samples: [[0, MINUTE, 1024, 512, 0, 0, 0]],
    totals: [[MINUTE, 2048, 512]],
    gaps: [[1, ms(3), ms(9), 'core-down']],
  });
  await master.post('/api/v2/sync', body);
  await waitFor('booked facts', async () => {
    const { body } = await master.get<{ total: number }>('/stats?type=summary');
    return body.data.total > 3 * 2 ** 30 + 2 ** 20 + 2048;
  });
});
afterAll(async () => {
  await master.command.kill();
  directory.remove();
});

const command = (...args: string[]) => runCommand(args, { program: SOURCES });
const asked = (...args: string[]) => command(...args, '--url', master.url);

/** What of a JSON answer does not depend on when it was asked. */
function lasting(json: string): unknown {
  return JSON.parse(json, (key, value) => (key === 'elapsed_ms' || key === 'fresh_to' ? 0 : value));
}

describe('a running master, asked on the command line', () => {
  it('answers top as a table: names whole in a pipe, numbers to the right, what stands beside it apart', async () => {
    const { code, stdout, stderr } = await asked('top', '--limit', '3', ...RANGE);
    expect([code, stderr]).toEqual([0, '']);
    const [head = '', ...lines] = stdout.split('\n');
    expect(head).toMatch(/^HOST +TOTAL +SHARE +DOWNLOAD +UPLOAD$/);
    expect(lines[0]).toMatch(/^视频\.example +3\.00 GiB {2}100\.0 % {2}█{12} +3\.00 GiB +0 B$/);
    expect(lines[1]).toMatch(
      /^a-very-long-name-.*\.cdn\.example\.com +1\.00 MiB +0\.0 % {2}▏ +1\.00 MiB +0 B$/,
    );
    expect(lines[3]).toMatch(/^─+$/);
    expect(lines[4]).toMatch(/^other \(2 more\) +1\.51 KiB /);
    expect(lines[5]).toMatch(/^unattributed +1\.00 KiB /);
    expect(lines[6]).toMatch(/^all +3\.00 GiB /);
    const right = widthOf(head.slice(0, head.indexOf('TOTAL') + 'TOTAL'.length));
    for (const line of [lines[0], lines[1], lines[4]]) {
      const total = /^.*?\d\.\d\d .iB/.exec(line ?? '')?.[0] ?? '';
      expect(widthOf(total), line).toBe(right);
    }
    expect(stdout).toContain('1 gap without snapshots in that time:\n  new: ');
    expect(stdout).not.toContain('\u001b');
  });

  it('answers query as CSV that spreadsheets run no part of, the notes beside it', async () => {
    const { code, stdout, stderr } = await asked(
      ...['query', '--by', 'host', '--metrics', 'download,opened', '--csv', ...RANGE],
    );
    expect(code).toBe(0);
    expect(stdout.split('\r\n')).toEqual([
      'kind,host,download,opened',
      'group,视频.example,3221225472,1',
      `group,${LONG},1048576,1`,
      `group,"'=HYPERLINK(""x"")",2048,1`,
      'group,new.example.org,1024,1',
      'group,small.example,10,1',
      'unattributed,,1024,',
      'all,,3222278154,5',
      '',
    ]);
    expect(stderr).toContain('1 gap without snapshots');
  });

  it('writes what is compared with into columns of its own, beside points in a row for all of the time', async () => {
    const compared = [
      ...['--csv', '--filter', 'host in (new.example.org, small.example)', '--from', at(0), '--to', at(30)],
      ...['--tz', 'UTC', '--compare', `${at(1)}/${at(31)}`],
    ];
    const top = await asked('top', '--metric', 'download', ...compared);
    expect(top.stdout.split('\r\n')).toEqual([
      'kind,host,download,previous_download',
      'group,new.example.org,1024,0',
      'group,small.example,10,10',
      'all,,1034,10',
      '',
    ]);
    const query = await asked('query', '--by', 'host', '--metrics', 'download,upload', ...compared);
    expect(query.stdout.split('\r\n')[0]).toBe('kind,host,download,upload,previous_download,previous_upload');
    const points = await asked('query', '--interval', '30m', '--metrics', 'download', ...compared);
    expect(points.stdout.split('\r\n')).toEqual([
      'time,kind,download,previous_download,state',
      `${at(0).replace('.000', '')},group,1034,,partial`,
      ',group,1034,10,',
      ',all,1034,10,',
      '',
    ]);
  });

  it('takes a whole body from standard input, and says what is wrong in it by its fields', async () => {
    const body = JSON.stringify({ from: at(0), to: at(60), group_by: ['agent'], interval: '30m' });
    const ask = (input: string) =>
      spawnSync(process.execPath, [SOURCES, 'query', '--body', '-', '--url', master.url], {
        input,
        encoding: 'utf8',
      });
    const { status, stdout } = ask(body);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^AGENT +TIME +DOWNLOAD +UPLOAD +TOTAL +STATE\n/);
    expect(stdout).toMatch(/^old +\d{4}-\d\d-\d\d \d\d:[03]0 +3\.00 GiB/m);
    expect(stdout).toMatch(/^old +all +3\.00 GiB/m);
    const wrong = ask('{"group_by":["hst"],"top":0,"filter":"hst = 1"}');
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('filter\n      hst = 1\n      ^^^\n');
    expect(wrong.stderr).toMatch(/^ {2}group_by\[0\]: .*did you mean "host"\?$/m);
    expect(wrong.stderr).toMatch(/^ {2}top: must be at least 1$/m);
    expect(ask('{').status).toBe(2);
  });

  it('says what only the master knows to be wrong, with its place', async () => {
    const { code, stdout, stderr } = await asked('top', '--filter', 'host ~ x and agent = nwe');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('      host ~ x and agent = nwe\n                           ^^^\n');
    expect(stderr).toContain('do you mean new?');
    const unknown = await asked('top', '--agent', 'nobody');
    expect(unknown).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--agent: there is no agent "nobody"'),
    });
  });

  it('is named where its database is asked instead', async () => {
    const { code, stderr } = await command('top', '--database', database);
    expect(code).toBe(1);
    expect(stderr).toContain(`is in use by process ${master.command.pid}`);
    expect(stderr).toContain('--url http://');
  });

  it('is told apart from nobody, and from somebody else', async () => {
    const nobody = await command('top', '--url', 'http://127.0.0.1:9');
    expect(nobody).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no answer from http://127.0.0.1:9'),
    });
    const elsewhere = await command('top', '--url', `${master.url}/elsewhere`);
    expect(elsewhere.code).toBe(1);
  });

  it('wants its token, from a file too', async () => {
    const other = directory.file('other.db');
    const args = ['--api-token-file', tokenFile];
    const guarded = MasterProcess.launch({ database: other, program: SOURCES, args });
    try {
      const [, url = ''] = await guarded.said(/"api":"(http:.*?)\/api\/v1"/);
      const verify = (...more: string[]) => command('verify', '--url', url, ...more);
      expect(await verify()).toMatchObject({ code: 1, stderr: expect.stringContaining('a token is needed') });
      const wrong = await verify('--token', 'another');
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).not.toContain('another');
      const right = await verify('--token-file', tokenFile);
      expect(right).toMatchObject({ code: 0, stdout: expect.stringContaining('there are no books') });
      const environment = { MIHOMO_TRACKER_TOKEN: TOKEN, MIHOMO_TRACKER_URL: url };
      expect(await runCommand(['verify'], { program: SOURCES, env: environment })).toMatchObject({ code: 0 });
    } finally {
      await guarded.kill();
    }
  });

  it.runIf(HAS_TERMINAL)('is shown on a terminal in colours, within its width', async () => {
    const words = [process.execPath, SOURCES, 'top', '--url', master.url, ...RANGE];
    const line = `stty cols 72; ${words.map((word) => `'${word}'`).join(' ')}`;
    const terminal = spawn('script', ['-qefc', line, '/dev/null'], {
      env: { PATH: process.env.PATH, TERM: 'xterm', LANG: 'C.UTF-8' },
    });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    await new Promise((resolve) => terminal.on('close', resolve));
    const lines = stripVTControlCharacters(shown).split('\r\n');
    expect(shown).toContain('\u001b[1mHOST');
    expect(lines.find((text) => text.startsWith('a-very'))).toMatch(/^a-very-.*….*\.com +1\.00 MiB/);
    const table = lines.slice(0, lines.indexOf(''));
    expect(table.length).toBeGreaterThan(6);
    for (const text of table) expect(widthOf(text), text).toBeLessThanOrEqual(72);
  });
});

describe('after it has stopped', () => {
  const questions = [
    ['top', '--by', 'host,node', '--compare', 'previous', '--json', ...RANGE],
    ['query', '--by', 'agent', '--interval', '5m', '--filter', 'host ~ example', '--json', ...RANGE],
    ['verify', '--group', 'range', '--json', ...RANGE],
  ];

  it('its database answers the same, and says by its code whether the books balance', async () => {
    const before = [];
    for (const question of questions) before.push(await asked(...question));
    expect(before.map(({ code }) => code)).toEqual([0, 0, 0]);
    // What DuckDB and SQLite have in their logs is read as well.
    await master.command.kill();
    const rest = (...args: string[]) => command(...args, '--database', database);
    for (const [index, question] of questions.entries()) {
      const { code, stdout, stderr } = await rest(...question);
      expect([code, stderr]).toEqual([0, '']);
      expect(lasting(stdout)).toEqual(lasting(before[index]?.stdout ?? ''));
    }
    const db = new Database(database);
    db.exec("UPDATE core_totals SET down = down + 5 WHERE agent_id = 'new'");
    db.close();
    const { code, stdout } = await rest('verify', '--group', 'range', ...RANGE);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^new .* ↓ 5 B ↑ 0 B .* unbalanced$/m);
    expect((await rest('verify', '--group', 'range', '--json', ...RANGE)).code).toBe(3);
    expect((await rest('verify', '--group', 'range', '--agent', 'old', '--csv', ...RANGE)).code).toBe(0);
  });
});
