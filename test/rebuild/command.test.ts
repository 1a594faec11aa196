import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { RunningCommand } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { MasterProcess } from '../support/master.ts';
import { Stores } from './stores.ts';

const directory = new TestDirectory();
afterAll(() => directory.remove());

async function rebuild(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = new RunningCommand(['facts', 'rebuild', ...args]);
  const { code } = await command.exited;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

it('facts rebuild: replaces what cannot be read, says what it did, and the master goes on', async () => {
  const stores = new Stores(directory.path);
  stores.deliver([{ start: 0, base: 0 }], [{ conn: 0, minute: 100, down: 3000, up: 300 }]);
  await stores.flush(async () => {});
  stores.forget();
  stores.merger.close();
  const arguments_ = ['--from-records', '--database', stores.database];

  const refused = await rebuild(...arguments_);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toMatch(/can be read\n.*--force/);

  const bytes = readFileSync(stores.path);
  writeFileSync(stores.path, bytes.fill(0x5a, 4096, bytes.length));
  rmSync(`${stores.path}.last`, { force: true });
  const done = await rebuild(...arguments_);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout.split('\n')).toEqual([
    expect.stringMatching(/: 4 half hours with 2.93 KiB down and 300 B up, in place of 1 lot$/),
    expect.stringMatching(/^16.3\d KiB that no record explains are not in it/),
    'what was there is kept, until you remove it, as',
    `  ${stores.path}.damaged`,
    'Start the master: what the records still keep follows by the minute.',
    '',
  ]);

  const master = await MasterProcess.start({ database: stores.database });
  const ready = await master.data<{
    state: string;
    components: { facts: { state: string; reason: string } };
  }>('/ready');
  expect(ready.components.facts).toMatchObject({
    state: 'warning',
    reason: expect.stringMatching(/^facts of 16.3\d KiB between .* are missing: put back a copy/),
  });
  const running = await rebuild(...arguments_, '--force');
  expect(running).toMatchObject({ code: 2, stdout: '' });
  expect(running.stderr).toContain(`in use by process ${master.command.pid}`);
  expect(await master.command.stop('SIGTERM')).toMatchObject({ code: 0 });
});
