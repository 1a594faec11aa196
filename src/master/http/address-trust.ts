import type { TokenRegistry } from '../tokens/token-registry.ts';

/**
 * Whom a master believes without a token:
 *
 * - `network`: loopback everything, private and link-local addresses delivering and reading. Where there is neither
 *   `--api-token` nor any token, as in the original.
 * - `machine`: loopback only. From the first token on, so that making the first one locks nobody out of the machine.
 * - `nobody`: with `--api-token`, and from the first token of `admin` on.
 */
export type TrustLevel = 'network' | 'machine' | 'nobody';

const LEVELS: readonly TrustLevel[] = ['network', 'machine', 'nobody'];

/**
 * Trust shrinks at once when a token is made, and never grows while the master runs: revoking a token, or its end, must
 * not open a master to anybody. It is as wide as the tokens allow again at the next start.
 */
export class AddressTrust {
  readonly #tokens: Pick<TokenRegistry, 'kinds'>;
  #level: number;

  constructor(apiToken: string | null, tokens: Pick<TokenRegistry, 'kinds' | 'onChange'>) {
    this.#tokens = tokens;
    this.#level = LEVELS.indexOf(apiToken === null ? 'network' : 'nobody');
    this.#shrink();
    tokens.onChange(() => this.#shrink());
  }

  get level(): TrustLevel {
    return LEVELS[this.#level] ?? 'nobody';
  }

  #shrink(): void {
    const { any, admin } = this.#tokens.kinds;
    const now = admin ? 'nobody' : any ? 'machine' : 'network';
    this.#level = Math.max(this.#level, LEVELS.indexOf(now));
  }
}
