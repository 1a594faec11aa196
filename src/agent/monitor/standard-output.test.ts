import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TerminalOutput } from './terminal-output.ts';

const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

/** Floods the console for a second, as 5,000 live connections would, and reports how long its calls took. */
const FLOOD = `
import { writeFileSync } from 'node:fs';
import { ConsoleMonitor } from ${url('./console-monitor.ts')};
import { standardOutput } from ${url('./standard-output.ts')};
import { emptyFields } from ${url('../../domain/connection.ts')};
const fields = { ...emptyFields('id'), host: 'www.example.com', chains: '["Proxy","香港 01"]' };
const monitor = new ConsoleMonitor({ level: 'traffic', screen: standardOutput(process.env) });
monitor.start();
let slowest = 0, turn = 0, calls = 0, last = performance.now();
const begun = last;
while (performance.now() - begun < 1000) {
  const before = performance.now();
  for (let i = 0; i < 500; i++, calls++) monitor.traffic(fields, 1, 1, 1, 1);
  slowest = Math.max(slowest, performance.now() - before);
  await new Promise((resolve) => setTimeout(resolve, 20));
  turn = Math.max(turn, performance.now() - last);
  last = performance.now();
}
const stopping = performance.now();
await monitor.stop();
writeFileSync(process.argv[1], JSON.stringify({ slowest, turn, calls, stop: performance.now() - stopping }));
process.exit(0);
`;

interface Report {
  /** Milliseconds: the slowest 500 calls, the slowest turn of the event loop (of which 20 are its timer), stop(). */
  slowest: number;
  turn: number;
  calls: number;
  stop: number;
}

let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'monitor-'));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function flood(command: readonly string[] = []): { child: ChildProcess; report: () => Promise<Report> } {
  const file = join(folder, 'report.json');
  const script = join(folder, 'flood.mjs');
  writeFileSync(script, FLOOD.replaceAll('process.argv[1]', JSON.stringify(file)));
  const [program, ...args] =
    command.length === 0
      ? [process.execPath, script]
      : [...command, `${process.execPath} ${script}`, '/dev/null'];
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const report = async (): Promise<Report> => {
    for (let waited = 0; waited < 15_000; waited += 50) {
      try {
        return JSON.parse(
          execFileSync('cat', [file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
        );
      } catch {
        await sleep(50);
      }
    }
    throw new Error('the flood did not end');
  };
  return { child, report };
}

/** Generous against a busy machine; a blocked write would last for as long as nobody reads. */
function expectUnhindered(report: Report): void {
  expect(report.slowest).toBeLessThan(200);
  expect(report.turn).toBeLessThan(400);
  expect(report.stop).toBeLessThan(1500);
}

describe('standard output in a real process', () => {
  test('a pipe that nobody reads does not hinder; its reader then learns what it missed', async () => {
    const { child, report } = flood();
    let text = '';
    const timer = setTimeout(() => {
      child.stdout?.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
    }, 800);
    const closed = new Promise((resolve) => child.on('close', resolve));
    const done = await report();
    clearTimeout(timer);
    await closed;
    expectUnhindered(done);
    const lines = text.split('\n').filter(Boolean);
    const missed = lines
      .map((line) => /^… (\d+) lines? not shown$/.exec(line)?.[1])
      .filter((count) => count !== undefined);
    expect(missed.length).toBeGreaterThan(0);
    const shown = lines.length - missed.length;
    expect(shown + missed.reduce((sum, count) => sum + Number(count), 0)).toBe(done.calls);
    expect(text).not.toContain('\u001b');
  });

  test('a pipe whose reader has gone ends the printing, not the process', async () => {
    const { child, report } = flood();
    child.stdout?.destroy();
    const closed = new Promise((resolve) => child.on('exit', resolve));
    const done = await report();
    expectUnhindered(done);
    expect(done.calls).toBeGreaterThan(500);
    expect(await closed).toBe(0);
  });

  // `script` (util-linux) lends a terminal; its own output is not read, so that the terminal fills up.
  const lendsTerminal = process.platform === 'linux' && hasScript();
  test.skipIf(!lendsTerminal)('a terminal that shows nothing more does not hinder', async () => {
    const { report } = flood(['script', '-qfc']);
    expectUnhindered(await report());
  });
});

function hasScript(): boolean {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
}

describe('a descriptor that does not wait', () => {
  let reader: number;
  let writer: number;

  beforeEach(() => {
    const path = join(folder, 'fifo');
    execFileSync('mkfifo', [path]);
    reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  });

  test('is filled, says so, and goes on when there is room; nothing is lost or doubled', async () => {
    let drained = false;
    const output = new TerminalOutput(writer, {
      drained: () => (drained = true),
      ended: () => expect.fail(),
    });
    let sent = '';
    for (let i = 0; ; i++) {
      const part = `${i} ${'x'.repeat(1000)}\n`;
      sent += part;
      if (!output.write(part)) break;
    }
    expect(output.pending).toBeGreaterThan(0);
    let got = '';
    const buffer = Buffer.alloc(65_536);
    while (got.length < sent.length) {
      try {
        got += buffer.toString('utf8', 0, readSync(reader, buffer));
      } catch {
        await sleep(10);
      }
    }
    await sleep(100);
    expect(got).toBe(sent);
    expect(drained).toBe(true);
    output.close();
    expect(output.write('x')).toBe(false);
    closeSync(reader);
  });

  test('says that it ended when the other side is closed', () => {
    let ended = 0;
    const output = new TerminalOutput(writer, { drained: () => undefined, ended: () => ended++ });
    closeSync(reader);
    expect(output.write('x')).toBe(false);
    expect(output.write('x')).toBe(false);
    expect(ended).toBe(1);
    output.close();
  });
});
