import { CodedError } from '../../common/errors.ts';
import { inTransaction, prepared, type Sqlite } from '../../common/sqlite.ts';
import { type HashedToken, hashOf, type NewToken, newSecret, type Token } from './token.ts';

/** Far more than agents and people need; all of them are in memory. */
export const MAX_TOKENS = 10_000;

/** A token that was just made, with the only copy of its secret. */
export interface CreatedToken {
  readonly token: Token;
  readonly secret: string;
}

/** When a token was used last, epoch ms. */
export type TokenUse = readonly [id: number, at: number];

const COLUMNS = 'id, name, scope, agent_id AS agentId, created, expires, last_used AS lastUsed, hash';

/** The table `tokens` of the records database, at whichever connection may write there. */
export class TokenTable {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  all(): HashedToken[] {
    const rows = prepared(this.#db, `SELECT ${COLUMNS} FROM tokens ORDER BY id`).all() as (Token & {
      hash: Buffer;
    })[];
    return rows.map((row) => ({ ...row, hash: row.hash.toString('hex') }));
  }

  /** Throws `name_taken` or `too_many_tokens`. */
  create(token: NewToken, now: number): CreatedToken {
    const secret = newSecret();
    const id = inTransaction(this.#db, () => {
      const same = prepared(this.#db, 'SELECT 1 FROM tokens WHERE name = ?').get(token.name);
      if (same !== undefined) {
        throw new CodedError('name_taken', `there is a token named "${token.name}" already`);
      }
      const { count } = prepared(this.#db, 'SELECT count(*) AS count FROM tokens').get() as { count: number };
      if (count >= MAX_TOKENS) {
        throw new CodedError('too_many_tokens', `there are ${count} tokens, and no more are kept`);
      }
      return prepared(
        this.#db,
        'INSERT INTO tokens (name, scope, agent_id, hash, created, expires) VALUES (?, ?, ?, ?, ?, ?)',
      ).run(token.name, token.scope, token.agentId, Buffer.from(hashOf(secret), 'hex'), now, token.expires)
        .lastInsertRowid;
    });
    return { token: { ...token, id: Number(id), created: now, lastUsed: null }, secret };
  }

  /** Whether there was one. */
  revoke(id: number): boolean {
    return prepared(this.#db, 'DELETE FROM tokens WHERE id = ?').run(id).changes > 0;
  }

  used(uses: readonly TokenUse[]): void {
    const write = prepared(
      this.#db,
      'UPDATE tokens SET last_used = ? WHERE id = ? AND (last_used IS NULL OR last_used < ?)',
    );
    inTransaction(this.#db, () => {
      for (const [id, at] of uses) write.run(at, id, at);
    });
  }
}
