import type { Sqlite } from '../../common/sqlite.ts';
import { minuteOf } from '../../domain/bucket.ts';

const DAY_MS = 86_400_000;
/** Lost rows that are kept: at most a few a day are written, and none in a healthy year. */
const LOST_ROWS = 1000;

interface Closed {
  key: number;
  start_ms: number;
  closed_at: number;
  last_minute: number;
  down: number;
  up: number;
  counted: number;
  ord: number;
}

/** Temporary table of the connections that one step is about. */
function selectKeys(db: Sqlite, keys: Iterable<number>): void {
  db.exec('CREATE TEMP TABLE IF NOT EXISTS chosen (key INTEGER PRIMARY KEY); DELETE FROM chosen');
  const put = db.prepare('INSERT OR IGNORE INTO chosen (key) VALUES (?)');
  for (const key of keys) put.run(key);
}

/** Connections that still have a sample to deliver, among those whose samples end at `lastMinute` or before. */
function undelivered(db: Sqlite, lastMinute: number): Set<number> {
  const rows = db
    .prepare('SELECT DISTINCT conn FROM samples INDEXED BY samples_dirty WHERE dirty = 1 AND minute <= ?')
    .all(lastMinute) as { conn: number }[];
  return new Set(rows.map((row) => row.conn));
}

/**
 * Deletes closed connections whole, oldest first, all of whose rows are acknowledged: at most `limit`, closed
 * before `before` (epoch ms). What goes is added to `pruned`, so that a master that turns out to be older than
 * the deletion is told. Returns how many went. Call inside a transaction.
 */
export function pruneDelivered(db: Sqlite, before: number, limit: number): number {
  const rows = db
    .prepare(
      `SELECT key, start_ms, closed_at, last_minute, conn_download - base_down AS down, conn_upload - base_up AS up, counted,
         max(ord, close_ord) AS ord
       FROM connections INDEXED BY connections_closed
       WHERE closed_at IS NOT NULL AND closed_at < ? AND dirty = 0 AND close_dirty = 0 ORDER BY closed_at LIMIT ?`,
    )
    .all(before, limit) as Closed[];
  if (rows.length === 0) return 0;
  const lastMinute = Math.max(...rows.map((row) => row.last_minute));
  const waiting = undelivered(db, lastMinute);
  const gone = rows.filter((row) => !waiting.has(row.key));
  selectKeys(
    db,
    gone.map((row) => row.key),
  );
  db.prepare('DELETE FROM samples WHERE minute <= ? AND conn IN (SELECT key FROM chosen)').run(lastMinute);
  db.prepare('DELETE FROM connections WHERE key IN (SELECT key FROM chosen)').run();
  const put = db.prepare(
    `INSERT INTO pruned (day, from_ms, to_ms, down, up, connections, ord) VALUES (?, ?, ?, ?, ?, 1, ?)
     ON CONFLICT (day) DO UPDATE SET from_ms = min(from_ms, excluded.from_ms), to_ms = max(to_ms, excluded.to_ms),
       down = down + excluded.down, up = up + excluded.up, connections = connections + 1,
       ord = max(ord, excluded.ord), reported = 0`,
  );
  for (const row of gone) {
    const bytes = row.counted === 1 ? { down: row.down, up: row.up } : { down: 0, up: 0 };
    const from = Math.min(row.start_ms === 0 ? row.closed_at : row.start_ms, row.closed_at);
    put.run(Math.floor(row.closed_at / DAY_MS), from, row.closed_at, bytes.down, bytes.up, row.ord);
  }
  return gone.length;
}

/**
 * `--data-retention-days`: acknowledged rows older than that go. Of an open connection, and of the totals, the
 * newest acknowledged sample before that stays, so that a master that lost more than this books the difference
 * in that one old minute and counters and totals still agree. 0 days keeps everything. One transaction.
 */
export function applyRetention(
  db: Sqlite,
  now: number,
  days: number,
): { connections: number; samples: number } {
  if (days === 0) return { connections: 0, samples: 0 };
  const before = now - days * DAY_MS;
  const minute = minuteOf(before);
  return db.transaction(() => {
    const connections = pruneDelivered(db, before, Number.MAX_SAFE_INTEGER);
    const kept = new Map<number, { down: number; up: number }>();
    let samples = 0;
    const drop = db.prepare('DELETE FROM samples WHERE minute = ? AND conn = ?');
    const old = db
      .prepare(
        'SELECT minute, conn, down, up FROM samples WHERE minute < ? AND dirty = 0 ORDER BY minute DESC',
      )
      .all(minute) as { minute: number; conn: number; down: number; up: number }[];
    for (const row of old) {
      const newer = kept.get(row.conn);
      // Where the clock was set back in between, an earlier minute has the higher counters.
      if (newer === undefined || row.down > newer.down || row.up > newer.up) kept.set(row.conn, row);
      else samples += drop.run(row.minute, row.conn).changes;
    }
    db.prepare(
      `DELETE FROM totals WHERE dirty = 0 AND minute < (SELECT max(minute) FROM totals WHERE dirty = 0 AND minute < ?)`,
    ).run(minute);
    db.prepare('DELETE FROM gaps WHERE dirty = 0 AND to_ms < ?').run(before);
    db.prepare('DELETE FROM runs WHERE dirty = 0 AND from_ms < ?').run(before);
    // By number, not by age: they tell of what is old by nature, and a master that is set back must hear it again.
    db.prepare('DELETE FROM lost WHERE dirty = 0 AND id <= (SELECT max(id) FROM lost) - ?').run(LOST_ROWS);
    db.prepare('DELETE FROM batches WHERE at < ? AND ord < (SELECT max(ord) FROM batches)').run(before);
    return { connections, samples };
  })();
}
