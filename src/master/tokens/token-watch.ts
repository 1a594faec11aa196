import type { Sqlite } from '../../common/sqlite.ts';
import type { HashedToken } from './token.ts';
import { TokenTable } from './token-table.ts';

/** How soon a token that the command line revoked stops working. */
const LOOK_MS = 1000;

/**
 * Tells of the tokens of a database: at once, after every change by its own connection (`tell`), and soon after one by
 * any other process. `PRAGMA data_version` changes with commits of others only, so that merging costs nothing here.
 */
export class TokenWatch {
  readonly table: TokenTable;
  readonly #db: Sqlite;
  readonly #onTokens: (tokens: HashedToken[]) => void;
  readonly #timer: NodeJS.Timeout;
  #version: number;

  constructor(db: Sqlite, onTokens: (tokens: HashedToken[]) => void) {
    this.#db = db;
    this.#onTokens = onTokens;
    this.table = new TokenTable(db);
    this.#version = this.#dataVersion();
    this.tell();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  tell(): void {
    this.#onTokens(this.table.all());
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const version = this.#dataVersion();
    if (version === this.#version) return;
    this.tell();
    // Only now: a look that failed is repeated.
    this.#version = version;
  }

  #dataVersion(): number {
    return this.#db.pragma('data_version', { simple: true }) as number;
  }
}
