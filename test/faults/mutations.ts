import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MUTANTS, type Mutant } from './mutants.ts';

/*
 * Do the schedules see what they are there to see? Each mutant is the program with one rule taken away; a mutant
 * that no schedule notices means that the harness or its checks are too weak.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '2' },
    runs: { type: 'string', default: '60' },
  },
});
const ROOT = resolve(import.meta.dirname, '..', '..');
const COPIED = ['src', 'test/faults', 'package.json'];

function mutate(directory: string, mutant: Mutant): void {
  for (const path of COPIED) cpSync(join(ROOT, path), join(directory, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  for (const { file, search, replace } of mutant.edits) {
    const path = join(directory, file);
    const parts = readFileSync(path, 'utf8').split(search);
    if (parts.length !== 2) {
      throw new Error(`${file} has the text of this edit ${parts.length - 1} times: ${search.trim()}`);
    }
    writeFileSync(path, parts.join(replace));
  }
}

function run(directory: string, mutant: Mutant): Promise<{ code: number | null; output: string }> {
  const args = ['--runs', String(mutant.runs ?? values.runs), '--from', String(mutant.from)];
  const child = spawn(
    process.execPath,
    [
      join(directory, 'test/faults/main.ts'),
      ...args,
      ...['--stride', String(mutant.stride ?? 1), '--jobs', '1', '--stop-after', '1', '--no-seeds'],
      ...(mutant.faults === undefined ? [] : ['--faults', mutant.faults.join(',')]),
    ],
    { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((done) => child.on('close', (code) => done({ code, output })));
}

/** Whether a check failed, and where: a mutant that does not even run has shown nothing. */
async function test(mutant: Mutant): Promise<{ killed: boolean; text: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'mutant-'));
  const began = Date.now();
  try {
    mutate(directory, mutant);
    const { code, output } = await run(directory, mutant);
    const failed = /^FAILED seed (\d+).*\n\s*(.*)$/m.exec(output);
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    if (code === 1 && failed !== null) {
      const whole = await run(ROOT, { ...mutant, from: Number(failed[1]), runs: 1 });
      if (whole.code !== 0) return { killed: false, text: `seed ${failed[1]} fails without it, too` };
      return { killed: true, text: `seed ${failed[1]}, ${seconds} s: ${failed[2]?.slice(0, 100)}` };
    }
    if (code === 0)
      return { killed: false, text: `survived ${mutant.runs ?? values.runs} schedules, ${seconds} s` };
    return { killed: false, text: `did not run: ${output.trim().slice(-300)}` };
  } catch (error) {
    return { killed: false, text: (error as Error).message };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const chosen = MUTANTS.filter((mutant) => mutant.name.includes(values.only));
let passed = 0;
let failed = 0;
const began = Date.now();
const queue = [...chosen];
async function work(): Promise<void> {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const { killed, text } = await test(mutant);
    if (killed) passed++;
    else failed++;
    process.stdout.write(`${killed ? 'noticed' : 'FAILED '}  ${mutant.name} (${text})\n`);
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
process.stdout.write(`mutations: ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
