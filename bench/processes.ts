import { type ChildProcess, fork, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';

/** Linux counts the CPU time of a process in these; every kernel built for people does. */
const TICKS_PER_SECOND = 100;

/** CPU that a process has used in all its threads, user and system, in milliseconds. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program stands in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Resident memory of a process in MB (2^20 bytes). */
export function rssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Bytes that a process caused to be written: to the disk, and by all its write calls, sockets included. */
export function written(pid: number): { disk: number; calls: number } {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1] ?? Number.NaN);
  return { disk: field('write_bytes'), calls: field('wchar') };
}

/** Samples the resident memory of a process until told to stop. */
export class RssWatch {
  readonly #pid: number;
  readonly #samples: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#look(), 200);
    this.#look();
  }

  #look(): void {
    this.#samples.push(rssMb(this.#pid));
  }

  stop(): { median: number; peak: number } {
    clearInterval(this.#timer);
    const sorted = this.#samples.toSorted((a, b) => a - b);
    return { median: sorted[sorted.length >> 1] ?? Number.NaN, peak: sorted.at(-1) ?? Number.NaN };
  }
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A process of the bench's own, asked and answering by messages, one at a time. */
export class Helper {
  readonly process: ChildProcess;

  constructor(file: URL, args: readonly string[]) {
    this.process = fork(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  next<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const gone = (code: number | null) => reject(new Error(`a helper ended with ${code}`));
      this.process.once('exit', gone);
      this.process.once('message', (message) => {
        this.process.off('exit', gone);
        resolve(message as T);
      });
    });
  }

  ask<T>(message: object): Promise<T> {
    const answer = this.next<T>();
    this.process.send(message);
    return answer;
  }

  stop(): Promise<void> {
    return end(this.process);
  }
}

/** Starts the command that is measured; what it says goes to a file. */
export function startCommand(
  program: string,
  args: readonly string[],
  log: string,
  nodeArgs: readonly string[] = [],
  env: Record<string, string> = {},
): ChildProcess {
  const out = openSync(log, 'a');
  return spawn(process.execPath, [...nodeArgs, program, ...args], {
    stdio: ['ignore', out, out],
    // What a developer's shell sets must not change what is measured.
    env: { PATH: process.env.PATH, TZ: 'UTC', ...env },
  });
}

/** Ends a process as a service manager does, and waits for it. */
export function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
