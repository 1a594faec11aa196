import type { FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from '../../common/errors.ts';

const SAFE = new Set(['GET', 'HEAD']);
const PREFLIGHT_AGE_S = '600';

/** `https://Example.com:443/` as a browser spells it in Origin; null when it is no web origin. */
export function canonicalOrigin(text: string): string | null {
  try {
    const url = new URL(text);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.origin : null;
  } catch {
    return null;
  }
}

/**
 * Which pages may call the API. None by default: no CORS header is ever sent, so a browser withholds answers
 * from foreign pages, and what would change something is refused outright. Trusted origins are compared exactly;
 * `*` is never answered.
 */
export class OriginGuard {
  readonly #trusted: ReadonlySet<string>;

  constructor(trusted: readonly string[]) {
    this.#trusted = new Set(trusted.map((text) => canonicalOrigin(text) ?? '').filter((text) => text !== ''));
  }

  /** Sets the CORS headers of a trusted origin; throws `origin_refused` for a foreign one that would act. */
  check(request: FastifyRequest, reply: FastifyReply): void {
    if (this.#trusted.size > 0) reply.header('vary', 'Origin');
    const origin = request.headers.origin;
    if (origin === undefined) return;
    if (this.#trusted.has(origin)) {
      reply.header('access-control-allow-origin', origin);
      reply.header('access-control-expose-headers', 'Retry-After');
      return;
    }
    if (SAFE.has(request.method) || isOwn(origin, request)) return;
    throw new CodedError('origin_refused', 'a page of another origin may not do that');
  }

  /** Answers the question a browser asks before a cross-origin request. False when it is no such question. */
  preflight(request: FastifyRequest, reply: FastifyReply, methods: readonly string[]): boolean {
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      return false;
    }
    if (reply.getHeader('access-control-allow-origin') !== undefined) {
      reply.header('access-control-allow-methods', methods.join(', '));
      reply.header('access-control-allow-headers', 'Authorization, Content-Type');
      reply.header('access-control-max-age', PREFLIGHT_AGE_S);
    }
    return true;
  }
}

/** The dashboard's own pages: same host and port. The scheme is left out, for a proxy may end TLS. */
function isOwn(origin: string, request: FastifyRequest): boolean {
  const canonical = canonicalOrigin(origin);
  return canonical !== null && new URL(canonical).host === request.headers.host?.toLowerCase();
}
