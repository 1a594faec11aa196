import { existsSync, statSync } from 'node:fs';
import { openReader } from '../../src/common/sqlite.ts';

export interface Known {
  down: number;
  up: number;
}

/** What a journal on disk holds, read while its agent is away or at work. */
export class JournalFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes on disk, write-ahead log included. */
  bytes(): number {
    return ['', '-wal'].reduce((sum, suffix) => {
      const path = this.#path + suffix;
      return sum + (existsSync(path) ? statSync(path).size : 0);
    }, 0);
  }

  /** The newest counters of every connection that it still has, by id. */
  counters(): Map<string, Known> {
    return this.#read((all) => {
      const known = new Map<string, Known>();
      const rows = all<{ id: string } & Known>(
        `SELECT c.id, max(c.conn_download, coalesce(s.down, 0)) AS down, max(c.conn_upload, coalesce(s.up, 0)) AS up
         FROM connections c LEFT JOIN (SELECT conn, max(down) AS down, max(up) AS up FROM samples GROUP BY conn) s
           ON s.conn = c.key`,
      );
      for (const { id, down, up } of rows) known.set(id, { down, up });
      return known;
    });
  }

  /** Rows of each kind that wait for the master. */
  waiting(): { samples: number; closes: number; totals: number } {
    return this.#read((all) => {
      const count = (sql: string) => all<{ n: number }>(`SELECT count(*) AS n FROM ${sql}`)[0]?.n ?? 0;
      return {
        samples: count('samples WHERE dirty = 1'),
        closes: count('connections WHERE close_dirty = 1'),
        totals: count('totals WHERE dirty = 1'),
      };
    });
  }

  connections(): number {
    return this.#read((all) => all<{ n: number }>('SELECT count(*) AS n FROM connections')[0]?.n ?? 0);
  }

  lost(): Known & { connections: number } {
    return this.#read((all) => {
      const [row] = all<Known & { connections: number }>(
        `SELECT coalesce(sum(down), 0) AS down, coalesce(sum(up), 0) AS up,
           coalesce(sum(connections), 0) AS connections FROM lost`,
      );
      return row ?? { down: 0, up: 0, connections: 0 };
    });
  }

  #read<T>(work: (all: <R>(sql: string) => R[]) => T): T {
    const db = openReader(this.#path);
    try {
      return work(<R>(sql: string) => db.prepare(sql).all() as R[]);
    } finally {
      db.close();
    }
  }
}
