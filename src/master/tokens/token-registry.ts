import type { Component } from '../../common/component.ts';
import type { Logger } from '../../common/logger.ts';
import { type HashedToken, hashOf, type NewToken, type Token } from './token.ts';
import type { CreatedToken, TokenUse } from './token-table.ts';

/** Who may write into the records database. */
export interface TokenWriter {
  createToken(token: NewToken): Promise<CreatedToken>;
  revokeToken(id: number): Promise<boolean>;
  tokensUsed(uses: readonly TokenUse[]): Promise<void>;
}

const MINUTE_MS = 60_000;

export interface TokenRegistryOptions {
  readonly writer: TokenWriter;
  readonly logger: Logger;
}

/**
 * The tokens of a master as the thread that serves HTTP sees them: all of them in memory, replaced whole whenever the
 * table changes. Uses are written together once a minute, for a write for every request would cost a disk flush each.
 */
export class TokenRegistry implements Component {
  readonly name = 'tokens';
  readonly #options: TokenRegistryOptions;
  #byHash = new Map<string, HashedToken>();
  /** Last uses by id, to the minute; and which of them are not written yet. */
  readonly #uses = new Map<number, number>();
  #unwritten = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  readonly #listeners: (() => void)[] = [];

  constructor(options: TokenRegistryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#writeUses(), MINUTE_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writeUses();
  }

  /** Takes what the table holds now. */
  replace(tokens: readonly HashedToken[]): void {
    this.#byHash = new Map(tokens.map((token) => [token.hash, token]));
    const ids = new Set(tokens.map(({ id }) => id));
    for (const id of this.#uses.keys()) if (!ids.has(id)) this.#uses.delete(id);
    for (const listener of this.#listeners) listener();
  }

  /** Calls back whenever tokens come or go. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether there is a token of whichever scope, and one of `admin`; those that expired count until they are revoked. */
  get kinds(): { any: boolean; admin: boolean } {
    const all = [...this.#byHash.values()];
    return { any: all.length > 0, admin: all.some(({ scope }) => scope === 'admin') };
  }

  /**
   * The token of a secret, expired or not; null when there is none. A look-up by digest is safe though its time tells
   * how much of a digest was right: nobody can make up secrets whose digests begin as they wish, and a digest that is
   * known in part leads to no secret of 256 random bits.
   */
  find(secret: string): Token | null {
    return this.#byHash.get(hashOf(secret)) ?? null;
  }

  /** Notes a use (epoch ms). */
  used(token: Token, at: number): void {
    const minute = at - (at % MINUTE_MS);
    if (minute <= (this.#uses.get(token.id) ?? token.lastUsed ?? 0)) return;
    this.#uses.set(token.id, minute);
    this.#unwritten.add(token.id);
  }

  /** In the order of their creation. */
  list(): Token[] {
    return [...this.#byHash.values()].map(({ hash: _hash, ...token }) => ({
      ...token,
      lastUsed: this.#uses.get(token.id) ?? token.lastUsed,
    }));
  }

  /** Throws `name_taken` or `too_many_tokens`. */
  create(token: NewToken): Promise<CreatedToken> {
    return this.#options.writer.createToken(token);
  }

  /** Resolves to whether there was one, when it works no more. */
  revoke(id: number): Promise<boolean> {
    return this.#options.writer.revokeToken(id);
  }

  async #writeUses(): Promise<void> {
    const uses = [...this.#uses].filter(([id]) => this.#unwritten.has(id));
    this.#unwritten = new Set();
    if (uses.length === 0) return;
    try {
      await this.#options.writer.tokensUsed(uses);
    } catch (error) {
      // Shown only: what the next use says is as good.
      this.#options.logger.warn({ err: error }, 'last uses of tokens could not be written');
    }
  }
}
