import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/common/sqlite.ts';
import { RECORDS_FILE } from '../../src/master/ingest/schema.ts';
import { runCommand, SOURCES } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';

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
