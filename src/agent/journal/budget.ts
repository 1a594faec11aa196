import { minuteOf } from '../../domain/bucket.ts';
import { FLAG_AGAIN } from '../../protocol/constants.ts';
import type { Journal } from './journal.ts';
import { pruneDelivered } from './retention.ts';

/** Makes room down to this share of the budget, so that it does not have to be made at every flush. */
const LOW_WATER = 0.85;
const HOUR_MINUTES = 60;
const CHUNK = 5000;

export interface Relief {
  pruned: number;
  thinned: number;
  lost: number;
}

interface Sample {
  minute: number;
  conn: number;
  dirty: number;
  down: number;
  up: number;
  rdown: number;
  rup: number;
}

/**
 * Keeps the journal within its disk budget (bytes), giving up first what costs least: delivered connections, then
 * minutes (hours, then the last value only) of closed connections, then hours of open ones, and at the very end
 * the oldest connections, with a `lost` row that says how much. Sums stay exact until that last step.
 */
export function relieve(journal: Journal, budget: number): Relief {
  const relief: Relief = { pruned: 0, thinned: 0, lost: 0 };
  if (journal.size() <= budget) return relief;
  const enough = () => journal.size() <= budget * LOW_WATER;
  const { db } = journal;
  while (!enough()) {
    const gone = db.transaction(() => pruneDelivered(db, Number.MAX_SAFE_INTEGER, CHUNK))();
    relief.pruned += gone;
    if (gone === 0) break;
  }
  if (!enough()) relief.thinned += thin(journal, HOUR_MINUTES, 'closed', enough);
  if (!enough()) relief.thinned += thin(journal, Number.MAX_SAFE_INTEGER, 'closed', enough);
  if (!enough()) relief.thinned += thin(journal, HOUR_MINUTES, 'open', enough);
  while (!enough()) {
    const gone = dropOldest(journal);
    relief.lost += gone;
    if (gone === 0) break;
  }
  return relief;
}

/**
 * Leaves one sample for each connection and span of minutes, its last. It takes over what the deleted ones said,
 * since counters are absolute: it is sent anew only if one of them was not acknowledged, and then marked `again`
 * if it had been; the connection's close follows after it. Spans go oldest first, each in a transaction.
 */
function thin(journal: Journal, span: number, which: 'closed' | 'open', enough: () => boolean): number {
  const { db } = journal;
  const range = db.prepare('SELECT min(minute) AS first, max(minute) AS last FROM samples').get() as {
    first: number | null;
    last: number | null;
  };
  if (range.first === null || range.last === null) return 0;
  // Minutes that may still be overwritten are left alone.
  const end = range.last - HOUR_MINUTES;
  const whole = span === Number.MAX_SAFE_INTEGER;
  let thinned = 0;
  let from = whole ? range.first : Math.floor(range.first / span) * span;
  while (from <= end && !enough()) {
    const to = whole ? end : Math.min(end, from + span - 1);
    thinned += thinSpan(journal, from, to, which);
    if (whole) break;
    const next = db.prepare('SELECT min(minute) AS minute FROM samples WHERE minute > ?').get(to) as {
      minute: number | null;
    };
    if (next.minute === null) break;
    from = Math.max(to + 1, Math.floor(next.minute / span) * span);
  }
  return thinned;
}

function thinSpan(journal: Journal, from: number, to: number, which: 'closed' | 'open'): number {
  const { db } = journal;
  const drop = db.prepare('DELETE FROM samples WHERE minute = ? AND conn = ?');
  const takeOver = db.prepare(
    `UPDATE samples SET flags = flags | CASE WHEN dirty = 0 THEN ${FLAG_AGAIN} ELSE 0 END, rev = ?, dirty = 1
     WHERE minute = ? AND conn = ?`,
  );
  // Later minutes have higher counters, unless the clock was set back in between.
  const raise = db.prepare(
    `UPDATE samples SET down = max(down, ?), up = max(up, ?), rdown = max(rdown, ?), rup = max(rup, ?)
     WHERE minute = ? AND conn = ?`,
  );
  const closeAgain = db.prepare(
    'UPDATE connections SET close_rev = ?, close_dirty = 1 WHERE key = ? AND closed_at IS NOT NULL',
  );
  return db.transaction(() => {
    const rows = db
      .prepare(
        `SELECT s.minute, s.conn, s.dirty, s.down, s.up, s.rdown, s.rup FROM samples s JOIN connections c ON c.key = s.conn
         WHERE s.minute BETWEEN ? AND ? AND c.closed_at IS ${which === 'closed' ? 'NOT NULL' : 'NULL'}
         ORDER BY s.minute DESC`,
      )
      .all(from, to) as Sample[];
    const survivors = new Map<number, Sample>();
    const inherited = new Set<Sample>();
    let thinned = 0;
    for (const row of rows) {
      const survivor = survivors.get(row.conn);
      if (survivor === undefined) {
        survivors.set(row.conn, row);
        continue;
      }
      if (row.dirty === 1) inherited.add(survivor);
      if (row.down > survivor.down || row.up > survivor.up) {
        raise.run(row.down, row.up, row.rdown, row.rup, survivor.minute, survivor.conn);
      }
      thinned += drop.run(row.minute, row.conn).changes;
    }
    if (inherited.size > 0) {
      const rev = journal.nextRev();
      for (const row of inherited) takeOver.run(rev, row.minute, row.conn);
      for (const row of inherited) closeAgain.run(rev, row.conn);
    }
    return thinned;
  })();
}

/** Drops the oldest closed connections and says what was lost with them: what the master has not acknowledged. */
function dropOldest(journal: Journal): number {
  const { db } = journal;
  return db.transaction(() => {
    const rows = db
      .prepare(
        `SELECT key, start_ms, closed_at, last_minute, counted, base_down, base_up, conn_download, conn_upload
         FROM connections WHERE closed_at IS NOT NULL ORDER BY closed_at LIMIT ${CHUNK}`,
      )
      .all() as Record<string, number>[];
    if (rows.length === 0) return 0;
    db.exec('CREATE TEMP TABLE IF NOT EXISTS chosen (key INTEGER PRIMARY KEY); DELETE FROM chosen');
    const choose = db.prepare('INSERT INTO chosen (key) VALUES (?)');
    for (const row of rows) choose.run(row.key);
    const lastMinute = Math.max(...rows.map((row) => Number(row.last_minute)));
    const delivered = new Map<number, { down: number; up: number }>();
    const samples = db
      .prepare(
        `SELECT conn, max(down) AS down, max(up) AS up FROM samples
         WHERE dirty = 0 AND minute <= ? AND conn IN (SELECT key FROM chosen) GROUP BY conn`,
      )
      .all(lastMinute) as { conn: number; down: number; up: number }[];
    for (const sample of samples) delivered.set(sample.conn, sample);
    const sum = { down: 0, up: 0, from: Number.MAX_SAFE_INTEGER, to: 0 };
    for (const row of rows) {
      sum.from = Math.min(sum.from, Number(row.start_ms) || Number(row.closed_at));
      sum.to = Math.max(sum.to, Number(row.closed_at));
      if (row.counted !== 1) continue;
      const had = delivered.get(Number(row.key));
      sum.down += Math.max(0, Number(row.conn_download) - (had?.down ?? Number(row.base_down)));
      sum.up += Math.max(0, Number(row.conn_upload) - (had?.up ?? Number(row.base_up)));
    }
    db.prepare('DELETE FROM samples WHERE minute <= ? AND conn IN (SELECT key FROM chosen)').run(lastMinute);
    db.prepare('DELETE FROM connections WHERE key IN (SELECT key FROM chosen)').run();
    putLost(journal, { ...sum, connections: rows.length });
    return rows.length;
  })();
}

/** One row a day of loss, not one a chunk; a row that was sent already is left and a new one begun. */
function putLost(
  journal: Journal,
  lost: { from: number; to: number; down: number; up: number; connections: number },
): void {
  const { db } = journal;
  const rev = journal.nextRev();
  const day = Math.floor(minuteOf(lost.to) / 1440);
  const open = db
    .prepare(
      "SELECT id FROM lost WHERE reason = 'disk-budget' AND dirty = 1 AND to_ms / 86400000 = ? ORDER BY id DESC LIMIT 1",
    )
    .get(day) as { id: number } | undefined;
  if (open !== undefined) {
    db.prepare(
      `UPDATE lost SET from_ms = min(from_ms, ?), to_ms = max(to_ms, ?), down = down + ?, up = up + ?,
         connections = connections + ?, rev = ? WHERE id = ?`,
    ).run(lost.from, lost.to, lost.down, lost.up, lost.connections, rev, open.id);
    return;
  }
  db.prepare(
    "INSERT INTO lost (from_ms, to_ms, down, up, connections, reason, rev) VALUES (?, ?, ?, ?, ?, 'disk-budget', ?)",
  ).run(lost.from, lost.to, lost.down, lost.up, lost.connections, rev);
}
