import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { end, sleep, startCommand } from '../processes.ts';
import type { BenchOptions } from '../scenario.ts';

export interface Delay {
  max: number;
  p99: number;
  p50: number;
}

/** A free port; the command has no way to say which one the system chose. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** The real command with a database of its own and the probe in its main thread. */
export class RunningMaster {
  readonly port: number;
  readonly #process: ReturnType<typeof startCommand>;

  readonly #delayFile: string;

  private constructor(port: number, process: ReturnType<typeof startCommand>, delayFile: string) {
    this.port = port;
    this.#process = process;
    this.#delayFile = delayFile;
  }

  /** With the stores that are in its directory, or with new ones. */
  static async start(
    name: string,
    options: BenchOptions,
    flags: readonly string[] = [],
  ): Promise<RunningMaster> {
    const directory = join(options.directory, name);
    mkdirSync(directory, { recursive: true });
    const port = await freePort();
    const delayFile = join(directory, 'delay.json');
    const child = startCommand(
      options.program,
      [
        ...['master', '--listen-host', '127.0.0.1', '--listen-port', String(port)],
        ...['--database', join(directory, 'master.db')],
        ...flags,
      ],
      join(directory, 'master.log'),
      ['--import', new URL('probe.ts', import.meta.url).href],
      { BENCH_DELAY_FILE: delayFile },
    );
    const master = new RunningMaster(port, child, delayFile);
    for (let tries = 0; !(await master.#alive()); tries++) {
      if (tries > 100 || child.exitCode !== null)
        throw new Error(`the master does not start: see ${directory}`);
      await sleep(100);
    }
    return master;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async #alive(): Promise<boolean> {
    try {
      return (await fetch(`http://127.0.0.1:${this.port}/api/v1/health`)).ok;
    } catch {
      return false;
    }
  }

  /** How late the main thread was since this was asked last. */
  async delay(): Promise<Delay> {
    rmSync(this.#delayFile, { force: true });
    this.#process.kill('SIGUSR2');
    while (!existsSync(this.#delayFile)) await sleep(20);
    return JSON.parse(readFileSync(this.#delayFile, 'utf8')) as Delay;
  }

  /** Seconds until no facts wait any more. */
  async settled(): Promise<number> {
    const begun = performance.now();
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${this.port}/api/v1/stats?type=summary`);
      const { meta } = (await answer.json()) as { meta?: { fresh_to?: string | number } };
      const fresh = meta?.fresh_to === undefined ? 0 : new Date(meta.fresh_to).getTime();
      if (fresh > performance.timeOrigin + begun) return (performance.now() - begun) / 1000;
      await sleep(500);
    }
  }

  stop(): Promise<void> {
    return end(this.#process);
  }
}
