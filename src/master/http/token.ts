import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/**
 * Compares tokens by their digests in constant time: neither the length nor the first wrong character of a
 * guess can be measured, and the token itself is not kept.
 */
export class TokenVerifier {
  readonly #expected: Buffer;

  constructor(token: string) {
    this.#expected = digest(token);
  }

  matches(presented: string): boolean {
    return timingSafeEqual(digest(presented), this.#expected);
  }
}

/** The credential of an Authorization header; null where there is none or it is of another scheme. */
export function bearerOf(header: string | undefined): string | null {
  const match = /^Bearer +(?<token>\S+) *$/i.exec(header ?? '');
  return match?.groups?.token ?? null;
}
