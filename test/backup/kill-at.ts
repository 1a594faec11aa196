// Loaded before the command (`node --import`), in its children too: ends a process with SIGKILL before or after the n-th
// thing that it does to files by name, or after some milliseconds. The product itself knows nothing of it.
//
// It is armed by a file whose path is in KILL_FILE: `<main|child> <number> <before|after>`, or `main <ms> ms`. Where the
// file says `count`, nothing is killed, and each thing done is a line in it: `<main|child> <process id>`.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const FILE = process.env.KILL_FILE ?? '';
const NAMES = [
  'renameSync',
  'rmSync',
  'writeFileSync',
  'mkdirSync',
  'copyFileSync',
  'fsyncSync',
  'chmodSync',
] as const;
const { existsSync, readFileSync, openSync, writeSync, closeSync } = fs;
const who = process.send === undefined ? 'main' : 'child';
let done = 0;

function order(): string[] {
  return existsSync(FILE) ? readFileSync(FILE, 'utf8').split('\n', 1)[0]!.split(' ') : [];
}

function note(): void {
  const file = openSync(FILE, 'a');
  writeSync(file, `${who} ${process.pid}\n`);
  closeSync(file);
}

function die(): void {
  closeSync(openSync(`${FILE}.died`, 'a'));
  process.kill(process.pid, 'SIGKILL');
}

function pass(moment: 'before' | 'after'): void {
  const [victim, number, when] = order();
  if (victim === undefined) return;
  if (moment === 'before') done++;
  if (moment === 'before' && victim === 'count') note();
  if (victim === who && Number(number) === done && when === moment) die();
}

if (isMainThread) {
  // biome-ignore lint/suspicious/noExplicitAny: functions of any kind are wrapped alike
  const functions = fs as unknown as Record<string, (...args: any[]) => unknown>;
  for (const name of NAMES) {
    const original = functions[name];
    if (original === undefined) throw new Error(`there is no ${name} to wrap`);
    functions[name] = (...args) => {
      pass('before');
      const result = original(...args);
      pass('after');
      return result;
    };
  }
  syncBuiltinESMExports();
  const look = setInterval(() => {
    const [victim, ms, unit] = order();
    if (victim !== who || unit !== 'ms') return;
    clearInterval(look);
    setTimeout(die, Number(ms)).unref();
  }, 5);
  look.unref();
}
