import type { Reply } from '../../src/agent/sync/outcome.ts';
import type { Transport } from '../../src/agent/sync/transport.ts';
import type { Random } from './random.ts';

/** Thrown in the middle of an agent's step: the process died there. */
export class Crash extends Error {}

export interface NetworkFaults {
  /** The request never arrives. */
  drop: number;
  /** It arrives, the answer does not. */
  loseAnswer: number;
  /** It arrives twice. */
  duplicate: number;
  /** A copy of it arrives once more, some requests later. */
  delay: number;
  /** The agent dies with the request on its way, before or after it was merged. */
  crash: number;
  /** A proxy in between answers for the master. */
  badGateway: number;
}

export const NO_FAULTS: NetworkFaults = {
  drop: 0,
  loseAnswer: 0,
  duplicate: 0,
  delay: 0,
  crash: 0,
  badGateway: 0,
};

/** The network between agents and the master: delivers, or does what networks do. */
export class Network {
  faults: NetworkFaults = NO_FAULTS;
  down = false;
  readonly #random: Random;
  readonly #deliver: (path: string, body: string) => Reply;
  #delayed: { path: string; body: string }[] = [];

  constructor(random: Random, deliver: (path: string, body: string) => Reply) {
    this.#random = random;
    this.#deliver = deliver;
  }

  transport(): Transport {
    return { post: async (path, body) => this.#post(path, body), close: async () => {} };
  }

  /** Everything still on its way arrives, late. */
  drain(): void {
    for (const { path, body } of this.#delayed.splice(0)) this.#deliver(path, body);
  }

  #post(path: string, body: string): Reply {
    const { faults } = this;
    const random = this.#random;
    if (this.down || random.chance(faults.drop)) return { kind: 'failed', reason: 'ECONNREFUSED' };
    if (random.chance(faults.badGateway))
      return { kind: 'answer', status: 502, retryAfterMs: 0, body: '<html>' };
    if (random.chance(faults.crash)) {
      if (random.chance(0.5)) this.#deliver(path, body);
      throw new Crash();
    }
    if (this.#delayed.length > 0 && random.chance(0.5)) {
      const late = this.#delayed.splice(random.between(0, this.#delayed.length - 1), 1)[0];
      if (late !== undefined) this.#deliver(late.path, late.body);
    }
    if (random.chance(faults.delay)) {
      this.#delayed.push({ path, body });
      // Half of the delayed ones are not merged now at all: they come out of order.
      if (random.chance(0.5)) return { kind: 'failed', reason: 'ETIMEDOUT' };
    }
    const reply = this.#deliver(path, body);
    if (random.chance(faults.duplicate)) this.#deliver(path, body);
    if (random.chance(faults.loseAnswer)) return { kind: 'failed', reason: 'ECONNRESET' };
    return reply;
  }
}
