import Database from 'better-sqlite3';
import { ORIGINAL_COLUMNS } from '../../src/domain/connection.ts';
import { originalTime } from './bulk-records.ts';

/**
 * The original's side of the comparison: its table, and its own statements for three questions, as its source has them
 * (`backend/src/db.rs` and `api.rs`, commit efc716f), run by SQLite's own engine in one process without its HTTP.
 */

/** As it ships: a primary key and no other index. */
export function makeOriginal(path: string): void {
  const db = new Database(path);
  db.exec(`CREATE TABLE connections (${ORIGINAL_COLUMNS.join(', ')}, PRIMARY KEY (id, agent_id))`);
  db.close();
}

/** All that helps these statements: by time with what is summed, and covering ones in the order of the groups. */
export function addHelpfulIndexes(path: string): void {
  const db = new Database(path);
  db.pragma('synchronous = OFF');
  db.exec(`
    CREATE INDEX by_time ON connections (last_updated, conn_download, conn_upload);
    CREATE INDEX by_host ON connections
      (COALESCE(NULLIF(host, ''), destination_ip), last_updated, conn_download, conn_upload);
    CREATE INDEX by_rule ON connections (rule, rule_payload, last_updated, conn_download, conn_upload);
    CREATE INDEX by_agent ON connections (agent_id, rule, last_updated);
    ANALYZE;`);
  db.close();
}

export const ORIGINAL_QUESTIONS = {
  summary: [
    'SELECT COUNT(*) as count FROM connections WHERE 1=1 AND last_updated >= ? AND last_updated <= ?',
    `SELECT SUM(conn_download) as download, SUM(conn_upload) as upload FROM connections
       WHERE 1=1 AND last_updated >= ? AND last_updated <= ?`,
  ],
  'top hosts': [
    `SELECT COALESCE(NULLIF(host, ''), destination_ip) as host_display, COUNT(*) as count,
         SUM(conn_download) as download, SUM(conn_upload) as upload
       FROM connections WHERE 1=1 AND last_updated >= ? AND last_updated <= ?
       GROUP BY host_display ORDER BY (download + upload) DESC LIMIT 10`,
  ],
  'daily series': [
    `SELECT strftime('%Y-%m-%d', datetime(last_updated, 'utc')) as time_point,
         SUM(conn_download + conn_upload) as value
       FROM connections WHERE 1=1 AND last_updated >= ? AND last_updated <= ?
       GROUP BY time_point ORDER BY time_point ASC`,
  ],
} as const satisfies Record<string, readonly string[]>;

export type OriginalQuestion = keyof typeof ORIGINAL_QUESTIONS;

/**
 * Milliseconds of each run, sorted. A read-only connection with SQLite's default cache, as the original opens it; the
 * first run, which fills the system's cache, is left out.
 */
export function timeOriginal(
  path: string,
  question: OriginalQuestion,
  interval: { from: number; to: number },
  runs: number,
): number[] {
  const db = new Database(path, { readonly: true });
  db.pragma('cache_size = -2000');
  const statements = ORIGINAL_QUESTIONS[question].map((text) => db.prepare(text));
  const times: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const begun = performance.now();
    for (const statement of statements) statement.all(originalTime(interval.from), originalTime(interval.to));
    if (run > 0) times.push(performance.now() - begun);
  }
  db.close();
  return times.toSorted((a, b) => a - b);
}

/** All bytes of the table. */
export function sumOfOriginal(path: string): { download: number; upload: number } {
  const db = new Database(path, { readonly: true });
  const sums = db
    .prepare('SELECT SUM(conn_download) AS download, SUM(conn_upload) AS upload FROM connections')
    .get() as { download: number; upload: number };
  db.close();
  return sums;
}
