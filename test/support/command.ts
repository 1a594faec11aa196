import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { sleep } from './wait.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** What users start: the built package. */
export const PACKAGE = join(ROOT, 'bin', 'mihomo-connections-tracker.cjs');
/** The same command from its sources, for tests that reach into the process (`--import`). */
export const SOURCES = join(import.meta.dirname, 'run-sources.ts');

/** Standard output and error are kept up to so many characters each, the newest. */
const KEPT = 1024 * 1024;

export interface CommandOptions {
  /** Default: the built package. */
  program?: string;
  /** Another program than ours: started as it is, without Node. */
  binary?: string;
  /** Of Node itself, before the program. */
  nodeArgs?: readonly string[];
  /** Added to a bare environment: nothing of the machine's own configuration leaks into a test. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Everything started and not ended yet: a test that dies takes its processes along. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The command as a process of its own. Ended by its own pid only. */
export class RunningCommand {
  readonly pid: number;
  readonly exited: Promise<Ended>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #ended: Ended | null = null;

  constructor(args: readonly string[], options: CommandOptions = {}) {
    const { program = PACKAGE, binary, nodeArgs = [], env = {}, cwd } = options;
    const { PATH = '', HOME = '', TMPDIR } = process.env;
    const words = binary === undefined ? [process.execPath, ...nodeArgs, program] : [binary];
    this.#child = spawn(words[0]!, [...words.slice(1), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    if (this.#child.pid === undefined) throw new Error('the command could not be started');
    this.pid = this.#child.pid;
    running.add(this.#child);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-KEPT);
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT);
    });
    this.exited = new Promise((resolve) => {
      // `close`, not `exit`: all that it said was read then.
      this.#child.on('close', (code, signal) => {
        running.delete(this.#child);
        this.#ended = { code, signal };
        resolve(this.#ended);
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Null while it runs. */
  get ended(): Ended | null {
    return this.#ended;
  }

  /** Waits until it has said something like this, on either stream; fails when it ends without. */
  async said(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const ended = this.#ended;
      const found = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (found !== null) return found;
      const late = performance.now() > end;
      if (late || ended !== null) {
        const why =
          ended === null ? 'did not say' : `ended with ${ended.code ?? ended.signal} and never said`;
        throw new Error(`the command ${why} ${pattern}\n${this.#stderr.slice(-2000)}`);
      }
      await sleep(20);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Tells it to end in order and waits; one that does not is killed, and the exit says so. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 30_000): Promise<Ended> {
    if (this.#ended !== null) return this.#ended;
    this.signal(signal);
    const patience = sleep(timeoutMs).then(() => null);
    const ended = await Promise.race([this.exited, patience]);
    return ended ?? (await this.kill());
  }

  async kill(): Promise<Ended> {
    this.signal('SIGKILL');
    return await this.exited;
  }
}

/** Runs the command to its end. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions & { timeoutMs?: number } = {},
): Promise<Ended & { stdout: string; stderr: string }> {
  const command = new RunningCommand(args, options);
  const late = sleep(options.timeoutMs ?? 60_000).then(() => null);
  const ended = (await Promise.race([command.exited, late])) ?? (await command.kill());
  return { ...ended, stdout: command.stdout, stderr: command.stderr };
}

/** For suites that are programs of their own: told to end, they end at once and take their processes along. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
}
