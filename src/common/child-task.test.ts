import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sleep, waitFor } from '../../test/support/wait.ts';
import type { TestOperations } from './child-task.test-support.ts';
import { runInChild } from './child-task.ts';
import type { Progress } from './progress.ts';

const MODULE = new URL('./child-task.test-support.ts', import.meta.url);

let directory: string;
let told: AbortController;
let progress: Progress[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'child-'));
  told = new AbortController();
  progress = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

function run<Name extends keyof TestOperations>(
  name: Name,
  ...args: Parameters<typeof runInChild<TestOperations, Name>>[2]
) {
  const task = { signal: told.signal, report: (one: Progress) => progress.push(one) };
  return runInChild<TestOperations, Name>(MODULE, name, args, task);
}

/** Nobody writes to a file any more. */
async function isQuiet(path: string): Promise<boolean> {
  const size = statSync(path).size;
  await sleep(200);
  return statSync(path).size === size;
}

describe('work in a child process', () => {
  it('is given its arguments, tells how far it is, and answers', async () => {
    const value = { big: 2n ** 70n, list: [1, null, 'ü'], bytes: new Uint8Array([1, 2]) };
    const answer = await run('echo', value);
    expect(answer.value).toEqual(value);
    expect(answer.pid).not.toBe(process.pid);
    expect(progress).toEqual([{ step: 'echoing', done: 1, total: 2 }]);
  });

  it('fails with the code and the details of what it met', async () => {
    await expect(run('refuse')).rejects.toMatchObject({
      code: 'file_damaged',
      message: 'it is broken',
      details: [{ field: 'a', problem: 'b' }],
    });
    await expect(run('fail')).rejects.toThrow('a bug');
  });

  it('fails when the process dies', async () => {
    await expect(run('die')).rejects.toThrow('SIGKILL');
  });

  it('ends when it is called off, and is gone then', async () => {
    const path = join(directory, 'lingering');
    const running = run('linger', path);
    await waitFor('work that began', () => existsSync(path) && progress.length > 0);
    told.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect(await isQuiet(path)).toBe(true);
    await expect(run('echo', 1)).rejects.toThrow('enough');
  });

  it('ends with the process that wanted it, however that ends', async () => {
    const path = join(directory, 'lingering');
    const program = `
      import { runInChild } from ${JSON.stringify(new URL('./child-task.ts', import.meta.url).href)};
      await runInChild(new URL(${JSON.stringify(MODULE.href)}), 'linger', [${JSON.stringify(path)}],
        { signal: new AbortController().signal, report: () => {} });`;
    writeFileSync(join(directory, 'parent.mjs'), program);
    const parent = spawn(process.execPath, [join(directory, 'parent.mjs')], { stdio: 'ignore' });
    await waitFor('work that began', () => existsSync(path));
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await waitFor('a child that has ended', () => isQuiet(path));
  });
});
