import { SimulatedCore } from '../../src/simulator/core.ts';
import type { SimulatedCoreOptions } from '../../src/simulator/core-options.ts';
import { SimulatedCoreServer, type SimulatedCoreServerOptions } from '../../src/simulator/server.ts';

const STEP_MS = 250;

export interface TestCoreOptions {
  core?: SimulatedCoreOptions;
  server?: Omit<SimulatedCoreServerOptions, 'core' | 'manual'>;
}

/**
 * A simulated core in the test's own process, so that the truth is at hand, served on a real socket. It sends a
 * message four times a second; its time stands still until `begin()` and again after `rest()`.
 */
export class TestCore {
  readonly core: SimulatedCore;
  readonly server: SimulatedCoreServer;
  #timer: NodeJS.Timeout | undefined;
  #movedAt: number | null = null;

  constructor(options: TestCoreOptions = {}) {
    this.core = new SimulatedCore({ startAt: Date.now(), ...options.core });
    this.server = new SimulatedCoreServer({ ...options.server, core: this.core, manual: true });
  }

  get port(): number {
    return this.server.port;
  }

  async start(): Promise<void> {
    await this.server.start();
    this.#timer = setInterval(() => this.#step(), STEP_MS);
  }

  /** Time passes from now on. */
  begin(): void {
    this.#movedAt = performance.now();
  }

  /** Nothing changes any more; messages go on and all say the same. */
  rest(): void {
    this.#movedAt = null;
  }

  #step(): void {
    if (this.#movedAt !== null) {
      const now = performance.now();
      this.core.advance(now - this.#movedAt);
      this.#movedAt = now;
    }
    this.server.tick();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.server.stop();
  }
}
