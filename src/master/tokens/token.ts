import { createHash, randomBytes } from 'node:crypto';
import { formatTime } from '../../domain/time.ts';
import type { TokenScope } from '../../domain/token.ts';

/** What is to become a token; its texts are valid and as they are kept. Times: epoch ms. */
export interface NewToken {
  readonly name: string;
  readonly scope: TokenScope;
  /** The one agent it delivers as; null for every other scope. */
  readonly agentId: string | null;
  /** null: never. */
  readonly expires: number | null;
}

/** A token without its secret, which nobody knows but whoever it was shown to. */
export interface Token extends NewToken {
  /** Never used again for another. */
  readonly id: number;
  readonly created: number;
  /** To the minute; null: never. */
  readonly lastUsed: number | null;
}

export interface HashedToken extends Token {
  readonly hash: string;
}

/** So that a secret is told from other texts, in a file and by scanners, and never begins with a dash. */
const PREFIX = 'mct_';

/** 256 random bits. */
export function newSecret(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/**
 * What is kept of a secret. No salt and no slow hash: they guard what people choose against lists of guesses, and
 * 256 random bits stand in no list.
 */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** A row of `GET /tokens` and of `tokens list --json`. */
export function tokenView(token: Token) {
  return {
    id: token.id,
    name: token.name,
    scope: token.scope,
    agent_id: token.agentId,
    created: formatTime(token.created),
    expires: token.expires === null ? null : formatTime(token.expires),
    last_used: token.lastUsed === null ? null : formatTime(token.lastUsed),
  };
}
