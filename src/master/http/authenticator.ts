import { CodedError } from '../../common/errors.ts';
import { formatTime } from '../../domain/time.ts';
import type { TokenRegistry } from '../tokens/token-registry.ts';
import { classifyAddress, clientKey } from './address.ts';
import type { AddressTrust } from './address-trust.ts';
import { FailureLimit } from './failure-limit.ts';
import { type Grant, MACHINE, NEIGHBOUR, NOBODY, type Scope, SHARED_TOKEN, tokenGrant } from './scope.ts';
import { bearerOf, TokenVerifier } from './token.ts';

export interface AuthenticatorOptions {
  /** `--api-token`. */
  readonly apiToken: string | null;
  readonly tokens: Pick<TokenRegistry, 'find' | 'used'>;
  readonly trust: AddressTrust;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Decides what a caller may do, by its token or its address, before anything of its body is read. */
export class Authenticator {
  readonly #apiToken: TokenVerifier | null;
  readonly #tokens: AuthenticatorOptions['tokens'];
  readonly #trust: AddressTrust;
  readonly #now: () => number;
  readonly #failures: FailureLimit;

  constructor({ apiToken, tokens, trust, now }: AuthenticatorOptions) {
    this.#apiToken = apiToken === null ? null : new TokenVerifier(apiToken);
    this.#tokens = tokens;
    this.#trust = trust;
    this.#now = now;
    this.#failures = new FailureLimit(now);
  }

  /** Throws `unauthorized`, `too_many_requests`, `address_refused` or `forbidden`. */
  authorize(scope: Scope, address: string, authorization: string | undefined): Grant {
    if (scope === 'none') return NOBODY;
    const grant = this.#byAddress(address, authorization) ?? this.#byToken(address, authorization);
    if (!grant.scopes.has(scope)) throw new CodedError('forbidden', `this needs the right "${scope}"`);
    return grant;
  }

  /** Null where only a token counts. */
  #byAddress(address: string, authorization: string | undefined): Grant | null {
    const place = classifyAddress(address);
    switch (this.#trust.level) {
      case 'network':
        if (place === 'loopback') return MACHINE;
        if (place !== 'other') return NEIGHBOUR;
        throw new CodedError(
          'address_refused',
          'this master has no tokens, so it serves loopback, private and link-local addresses only',
        );
      case 'machine':
        // Whoever presents a token is judged by it: one that was revoked must not make its holder an administrator.
        return place === 'loopback' && authorization === undefined ? MACHINE : null;
      case 'nobody':
        return null;
    }
  }

  #byToken(address: string, authorization: string | undefined): Grant {
    // Who presents nothing guesses nothing: a page that was not given its token yet must not lock its user out.
    if (authorization === undefined) throw new CodedError('unauthorized', 'a token is needed');
    const presented = bearerOf(authorization);
    const grant = presented === null ? null : this.#grantOf(presented);
    if (grant !== null) return grant;
    const wait = this.#failures.fail(clientKey(address));
    if (wait > 0) {
      throw new CodedError('too_many_requests', 'too many wrong tokens from this address', {
        retryAfter: wait,
      });
    }
    throw new CodedError('unauthorized', 'the token is wrong, or it was revoked');
  }

  #grantOf(presented: string): Grant | null {
    if (this.#apiToken?.matches(presented)) return SHARED_TOKEN;
    const token = this.#tokens.find(presented);
    if (token === null) return null;
    const now = this.#now();
    if (token.expires !== null && token.expires <= now) {
      // Not counted as a guess: whoever has it knew it.
      throw new CodedError('unauthorized', `the token expired at ${formatTime(token.expires)}`);
    }
    this.#tokens.used(token, now);
    return tokenGrant(token);
  }
}
