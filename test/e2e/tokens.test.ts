import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/common/sqlite.ts';
import { RECORDS_FILE } from '../../src/master/ingest/schema.ts';
import { startAgent } from '../support/agent.ts';
import { type RunningCommand, runCommand, SOURCES } from '../support/command.ts';
import { coreAndDirectoryInEachTest } from '../support/core-and-directory.ts';
import { TestDirectory } from '../support/directory.ts';
import { MasterProcess } from '../support/master.ts';
import { waitFor } from '../support/wait.ts';

let directory: TestDirectory;
let database: string;
beforeEach(() => {
  directory = new TestDirectory();
  database = directory.file('master.db');
  openStore(database, RECORDS_FILE).close();
});
afterEach(() => directory.remove());

const tokens = (...args: string[]) =>
  runCommand(['tokens', ...args, '--database', database], { program: SOURCES });

describe('tokens of a file at rest', () => {
  it('are made with the secret alone on standard output, listed without it, and revoked', async () => {
    const made = await tokens('create', '--name', '路由器', '--scope', 'agent', '--agent-id', 'home');
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^mct_[\w-]{43}\n$/),
      stderr: 'token "路由器" (number 1): delivers as agent "home", until it is revoked\n',
    });
    await tokens('create', '--name', 'phone', '--scope', 'read', '--expires', '90d');
    const listed = await tokens('list', '--json');
    expect(listed.stderr).toBe('');
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { id: 1, name: '路由器', scope: 'agent', agent_id: 'home', expires: null, last_used: null },
      { id: 2, name: 'phone', scope: 'read', agent_id: null, expires: expect.stringMatching(/Z$/) },
    ]);
    const { stdout: table } = await tokens('list');
    expect(table.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\dZ/g, 'yyyy-mm-ddThh:mmZ').split('\n')).toEqual([
      'ID  NAME    SCOPE  AGENT  CREATED            EXPIRES            LAST USED',
      ' 1  路由器  agent  home   yyyy-mm-ddThh:mmZ  never              never',
      ' 2  phone   read          yyyy-mm-ddThh:mmZ  yyyy-mm-ddThh:mmZ  never',
      '',
    ]);
    expect(`${listed.stdout}${table}`).not.toContain(made.stdout.trim());
    expect((await tokens('revoke', '路由器')).stderr).toContain('token "路由器" (number 1) is revoked');
    expect((await tokens('revoke', '2')).code).toBe(0);
    expect(await tokens('list')).toMatchObject({ stdout: '', stderr: expect.stringContaining('no tokens') });
  });

  it('leave nothing beside the file', async () => {
    await tokens('create', '--name', 'a', '--scope', 'read');
    expect(readdirSync(directory.path)).toEqual(['master.db']);
  });

  it.each([
    [
      ['create', '--name', 'a', '--scope', 'read'],
      'there is a token named "a" already',
      'Choose another name',
    ],
    [['revoke', 'b'], 'there is no token "b"', '`tokens list`'],
  ])('%j says why it cannot be done, and exits 2', async (args, problem, hint) => {
    await tokens('create', '--name', 'a', '--scope', 'read');
    const { code, stdout, stderr } = await tokens(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(problem);
    expect(stderr).toContain(hint);
  });

  it('are made for a file that exists only: a path typed wrong becomes no database', async () => {
    const { code, stderr } = await runCommand(
      ['tokens', 'create', '--name', 'a', '--scope', 'read', '--database', directory.file('none.db')],
      { program: SOURCES },
    );
    expect(code).toBe(2);
    expect(stderr).toContain('there is no records database');
    expect(readdirSync(directory.path)).toEqual(['master.db']);
  });
});

describe('tokens of a running master', () => {
  const given = coreAndDirectoryInEachTest();
  let commands: RunningCommand[];
  beforeEach(() => {
    commands = [];
  });
  afterEach(async () => {
    for (const command of commands) await command.kill();
  });

  const running = async () => {
    const master = await MasterProcess.start({ database });
    commands.push(master.command);
    return master;
  };
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret.trim()}` });
  const created = async (name: string, ...args: string[]) =>
    (await tokens('create', '--name', name, ...args)).stdout.trim();

  it('work within a second after they were made elsewhere, and end within a second', async () => {
    const master = await running();
    /** What the rights come from; or that there are none, also where this test has asked too often with a wrong token. */
    const asked = async (secret?: string) => {
      const headers = secret === undefined ? {} : bearer(secret);
      const { status, body } = await master.get<{ auth: string }>('/session', headers);
      if (status === 200) return body.data.auth;
      expect([401, 429]).toContain(status);
      return 'refused';
    };
    expect(await asked()).toBe('none');
    const reader = await created('reader', '--scope', 'read');
    const soon = { timeoutMs: 5000 };
    await waitFor('the reader', async () => (await asked(reader)) === 'token', soon);
    // This machine goes on being believed until there is an administrator.
    expect(await asked()).toBe('none');
    const admin = await created('admin', '--scope', 'admin');
    await waitFor('the administrator', async () => (await asked(admin)) === 'token', soon);
    expect(await asked()).toBe('refused');
    await tokens('revoke', 'reader');
    await waitFor('the end of the reader', async () => (await asked(reader)) === 'refused', soon);
    await tokens('revoke', 'admin');
    await waitFor('the end of the administrator', async () => (await asked(admin)) === 'refused', soon);
    expect(await asked()).toBe('refused');
    await master.command.stop();
    expect(master.command.stderr).not.toContain(reader);
    expect(await (await running()).get('/session')).toMatchObject({
      status: 200,
      body: { data: { auth: 'none', scope: 'admin' } },
    });
  });

  it('are written down as used when the master stops', async () => {
    const reader = await created('reader', '--scope', 'read');
    const master = await MasterProcess.of(MasterProcess.launch({ database }));
    commands.push(master.command);
    expect((await master.get('/agents', bearer(reader))).status).toBe(200);
    await master.command.stop();
    const [token] = JSON.parse((await tokens('list', '--json')).stdout) as { last_used: string }[];
    expect(Math.abs(Date.now() - Date.parse(token?.last_used ?? ''))).toBeLessThan(120_000);
  });

  it('of another agent are refused; the agent says what to do, and delivers everything once it has its own', async () => {
    const wrong = await created('wrong', '--scope', 'agent', '--agent-id', 'office');
    const master = await running();
    const start = (secret: string) => {
      const agent = startAgent({
        journal: given.directory.file('agent.db'),
        agentId: 'home',
        core: given.core.port,
        masterUrl: master.url,
        args: ['--master-token', secret],
      });
      commands.push(agent);
      return agent;
    };
    const refused = start(wrong);
    await refused.said(/"core run"/);
    given.core.core.open({ host: 'one.example', type: 'Tun' }, { download: 1000, upload: 100 });
    await refused.said(
      /agent_id_bound: this token delivers for agent \\"office\\" only, and this agent is \\"home\\"/,
    );
    await refused.said(/"hint":"[^"]*`tokens create --scope agent`/);
    await refused.stop();
    expect(await master.data('/agents')).toEqual([]);

    const right = await created('right', '--scope', 'agent', '--agent-id', 'home');
    await waitFor(
      'a master that knows it',
      async () => (await master.get('/session', bearer(right))).status === 403,
    );
    start(right);
    await waitFor('what was kept', async () => {
      const rows = await master.data<{ agent_id: string; host: string; download: number }[]>('/connections');
      return rows.some(
        (row) => row.agent_id === 'home' && row.host === 'one.example' && row.download === 1000,
      );
    });
  });
});
