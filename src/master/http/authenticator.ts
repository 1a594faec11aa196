import { CodedError } from '../../common/errors.ts';
import { classifyAddress, clientKey } from './address.ts';
import { FailureLimit } from './failure-limit.ts';
import { ADMIN, type Grant, NEIGHBOUR, NOBODY, type Scope } from './scope.ts';
import { bearerOf, TokenVerifier } from './token.ts';

/**
 * Decides what a caller may do, before anything of its body is read.
 *
 * With a token, the token alone counts. Without one, the address does: loopback everything, private and
 * link-local delivering and reading, others nothing.
 */
export class Authenticator {
  readonly #token: TokenVerifier | null;
  readonly #failures: FailureLimit;

  constructor(token: string | null, now: () => number) {
    this.#token = token === null ? null : new TokenVerifier(token);
    this.#failures = new FailureLimit(now);
  }

  /** Whether a token is needed; where it is not, Host names are checked instead. */
  get usesToken(): boolean {
    return this.#token !== null;
  }

  /** Throws `unauthorized`, `too_many_requests`, `address_refused` or `forbidden`. */
  authorize(scope: Scope, address: string, authorization: string | undefined): Grant {
    if (scope === 'none') return NOBODY;
    const grant = this.#token === null ? this.#byAddress(address) : this.#byToken(address, authorization);
    if (!grant.scopes.has(scope)) {
      throw new CodedError('forbidden', `this needs the right "${scope}"`);
    }
    return grant;
  }

  #byAddress(address: string): Grant {
    const place = classifyAddress(address);
    if (place === 'loopback') return ADMIN;
    if (place !== 'other') return NEIGHBOUR;
    throw new CodedError(
      'address_refused',
      'this master has no --api-token, so it serves loopback, private and link-local addresses only',
    );
  }

  #byToken(address: string, authorization: string | undefined): Grant {
    const presented = bearerOf(authorization);
    if (presented !== null && this.#token?.matches(presented)) return ADMIN;
    // Who presents nothing guesses nothing: a page that was not given its token yet must not lock its user out.
    if (authorization === undefined) throw new CodedError('unauthorized', 'a token is needed');
    const wait = this.#failures.fail(clientKey(address));
    if (wait > 0) {
      throw new CodedError('too_many_requests', 'too many wrong tokens from this address', {
        retryAfter: wait,
      });
    }
    throw new CodedError('unauthorized', 'the token is wrong');
  }
}
