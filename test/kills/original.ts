import Database from 'better-sqlite3';
import { ORIGINAL_COLUMNS } from '../../src/domain/connection.ts';
import { makeVersion6 } from '../../src/master/layout/earlier-version.test-support.ts';
import type { Random } from '../../src/simulator/random.ts';

export const ORIGINAL_AGENT = 'old-house';

/** Rows of the Rust implementation's database, waiting to be imported; what must come of them is remembered. */
export class OriginalRows {
  readonly #path: string;
  readonly #random: Random;
  readonly expected = new Map<string, { down: number; up: number }>();

  constructor(path: string, random: Random) {
    this.#path = path;
    this.#random = random;
    const db = new Database(path);
    db.exec(`CREATE TABLE connections (${ORIGINAL_COLUMNS.join(', ')}, PRIMARY KEY (id, agent_id))`);
    db.close();
  }

  /** Adds rows while no master has the file: as to one that an earlier version left in the middle of its import. */
  add(count: number): void {
    const db = new Database(this.#path);
    if (db.pragma('user_version', { simple: true }) !== 0) makeVersion6(db);
    const put = db.prepare(
      `INSERT INTO connections (id, conn_download, conn_upload, last_updated, start, host, chains, agent_id)
       VALUES (?, ?, ?, ?, ?, ?, '["DIRECT"]', ?)`,
    );
    db.transaction(() => {
      for (let i = 0; i < count; i++) {
        const id = this.#random.uuid();
        const down = this.#random.between(0, 5_000_000);
        const up = this.#random.between(0, 50_000);
        const at = Date.UTC(2026, 0, 1) + this.#random.between(0, 100 * 86_400_000);
        const host = `site-${this.#random.between(1, 200)}.example`;
        const time = new Date(at).toISOString();
        put.run(id, down, up, time, new Date(at - 60_000).toISOString(), host, ORIGINAL_AGENT);
        this.expected.set(id, { down, up });
      }
    })();
    db.close();
  }
}
