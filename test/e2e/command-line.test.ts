import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { PACKAGE, runCommand } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { MasterProcess } from '../support/master.ts';

const PACKAGE_JSON = join(import.meta.dirname, '..', '..', 'package.json');

let directory: TestDirectory;
beforeEach(() => {
  directory = new TestDirectory();
});
afterEach(() => directory.remove());

describe('the command', () => {
  it('tells its version and its help on standard output', async () => {
    const { version } = JSON.parse(readFileSync(PACKAGE_JSON, 'utf8')) as { version: string };
    expect(await runCommand(['--version'])).toEqual({
      code: 0,
      signal: null,
      stdout: `${version}\n`,
      stderr: '',
    });
    const help = await runCommand(['agent', '--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--master-url');
    expect((await runCommand([])).code).not.toBe(1);
  });

  it('names every wrong flag at once and exits 2', async () => {
    const { code, stdout, stderr } = await runCommand(
      ['master', '--listen-port', '99999', '--sample-interval', 'often', '--databse', 'x.db'],
      { cwd: directory.path },
    );
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('--listen-port');
    expect(stderr).toContain('--sample-interval');
    expect(stderr).toContain('--databse');
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(readdirSync(directory.path)).toEqual([]);
  });

  it.each([
    ['agent', []],
    ['master', []],
    ['master', ['--mihomo-host', '127.0.0.1']],
  ])('checks %s %j without starting anything, and leaves no trace', async (role, more) => {
    const { code, stdout } = await runCommand([role, '--check', '--log-level', 'warn', ...more], {
      cwd: directory.path,
    });
    expect(code).toBe(0);
    expect(stdout).toContain('nothing was started');
    expect(readdirSync(directory.path)).toEqual([]);
  });

  it('checks the files of a stopped agent, and leaves no trace beside them', async () => {
    const journal = directory.file('agent.db');
    const agent = startAgent({ journal, core: 1 });
    await agent.said(/agent started/);
    await agent.stop();
    const files = readdirSync(directory.path);
    const { code } = await runCommand(['agent', '--check', '--local-database', journal]);
    expect(code).toBe(0);
    expect(readdirSync(directory.path)).toEqual(files);
  });

  it('refuses a journal that another process has, and says which', async () => {
    const options = { journal: directory.file('agent.db'), core: 1 };
    const first = startAgent(options);
    try {
      await first.said(/agent started/);
      const second = startAgent(options);
      const { code } = await second.exited;
      expect(code).toBe(2);
      expect(second.stderr).toContain(`in use by process ${first.pid}`);
      expect(first.ended).toBeNull();
    } finally {
      await first.stop();
    }
    // The lock ends with its process, also with one that was killed.
    const third = startAgent(options);
    await third.said(/agent started/);
    await third.kill();
    const fourth = startAgent(options);
    await fourth.said(/agent started/);
    expect((await fourth.stop()).code).toBe(0);
  });

  it('refuses a database and a port that another master has', async () => {
    const database = directory.file('master.db');
    const master = await MasterProcess.start({ database });
    try {
      const host = ['--listen-host', '127.0.0.1', '--listen-port'];
      const same = await runCommand(['master', '--database', database, ...host, '0']);
      expect(same.code).toBe(2);
      expect(same.stderr).toContain(`in use by process ${master.command.pid}`);
      const port = await runCommand([
        'master',
        '--database',
        directory.file('other.db'),
        ...host,
        `${master.port}`,
      ]);
      expect(port.code).toBe(2);
      expect(port.stderr).toContain(`port ${master.port} is in use`);
    } finally {
      await master.command.stop();
    }
  });

  it('says what a Node that is too old lacks, before anything else is loaded', async () => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '18.20.4' })`;
    const { code, stderr, stdout } = await runCommand(['agent'], {
      nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`],
      cwd: directory.path,
    });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('needs Node.js 22.18 or newer; this is 18.20.4');
    expect(stderr).toContain(`npx -p node@24 node ${PACKAGE}`);
    expect(existsSync(directory.file('agent.db'))).toBe(false);
  });
});
