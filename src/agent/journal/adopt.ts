import type { Sqlite } from '../../common/sqlite.ts';
import { MINUTE_MS, minuteOf } from '../../domain/bucket.ts';
import { isCounted } from '../../domain/connection.ts';
import { parseTime } from '../../domain/time.ts';
import { emptyState } from '../books/state.ts';

interface OriginalRow {
  rowid: number;
  id: string | null;
  conn_download: number | null;
  conn_upload: number | null;
  last_updated: string | null;
  start: string | null;
  type: string | null;
  process: string | null;
  agent_id: string | null;
}

interface Usable {
  row: OriginalRow;
  at: number;
  start: number;
  agentId: string;
  down: number;
  up: number;
}

function isCounter(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/**
 * Takes over the rows of the original's agent file: each becomes one unacknowledged sample at its
 * `last_updated`, because what the original marked as delivered may not have been (its cursor skipped rows). The
 * master merges by maximum, so what it has already changes nothing.
 *
 * A row keeps the agent id under which it was collected: the original made a new one at each start unless it was
 * given one, and its master holds the rows under those ids. The id of the newest rows is kept for the journal.
 *
 * For the books the original's last word is their last good snapshot: what the core lists now goes on from the
 * counters found here, across a gap. It is put into the minute after the newest row, so that no sample of ours ever
 * falls into the minute of an adopted one: the two go by different wires.
 */
export function adoptOriginalRows(db: Sqlite): void {
  const rows = db
    .prepare(
      'SELECT rowid, id, conn_download, conn_upload, last_updated, start, type, process, agent_id FROM connections',
    )
    .iterate() as IterableIterator<OriginalRow>;
  const updates: { row: OriginalRow; at: number; start: number }[] = [];
  for (const row of rows) {
    const start = parseTime(row.start ?? '') ?? 0;
    updates.push({ row, at: parseTime(row.last_updated ?? '') ?? start, start });
  }
  updates.sort((a, b) => a.at - b.at);

  const drop = db.prepare('DELETE FROM connections WHERE rowid = ?');
  const quarantine = db.prepare(
    "INSERT INTO quarantine (at, what, code, row) VALUES (0, 'connections', 'malformed', ?)",
  );
  const adopt = db.prepare(
    `UPDATE connections SET key = ?, agent_id = ?, start_ms = ?, counted = ?, last_minute = ?, closed_at = ?,
       rev = 1, dirty = 1, close_rev = 1, close_dirty = 1 WHERE rowid = ?`,
  );
  const sample = db.prepare(
    'INSERT INTO samples (minute, conn, down, up, rdown, rup, flags, rev) VALUES (?, ?, ?, ?, 0, 0, 4, 1)',
  );
  const newest = updates.findLast(({ row }) => (row.agent_id ?? '').trim() !== '')?.row.agent_id?.trim();
  const agent = newest ?? '';
  /** By id and agent, the one with the greatest counters: rows without an agent may stand beside one that has it. */
  const kept = new Map<string, Usable>();
  for (const { row, at, start } of updates) {
    const down = row.conn_download ?? 0;
    const up = row.conn_upload ?? 0;
    if (row.id === null || row.id === '' || !isCounter(down) || !isCounter(up)) {
      quarantine.run(JSON.stringify(row).slice(0, 2000));
      drop.run(row.rowid);
      continue;
    }
    const agentId = row.agent_id?.trim() || agent;
    const key = `${row.id}\u0000${agentId}`;
    const other = kept.get(key);
    const better = other === undefined || down + up >= other.down + other.up;
    if (other !== undefined) drop.run(better ? other.row.rowid : row.rowid);
    if (better) kept.set(key, { row, at, start, agentId, down, up });
  }
  let key = 0;
  for (const { row, at, start, agentId, down, up } of kept.values()) {
    key++;
    const counted = isCounted({ conn_type: row.type ?? '', process: row.process ?? '' });
    // Closed until the core lists it: the first snapshot opens again what still lives.
    adopt.run(key, agentId, start, counted ? 1 : 0, minuteOf(at), at, row.rowid);
    sample.run(minuteOf(at), key, down, up);
  }
  const put = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
  put.run('adopted', '1');
  put.run('rev', '1');
  put.run('next_key', String(key + 1));
  if (key > 0) {
    const newestAt = updates.at(-1)?.at || Date.now();
    const lastGood = (minuteOf(newestAt) + 1) * MINUTE_MS;
    put.run('books', JSON.stringify({ ...emptyState(), lastGood }));
  }
  if (agent !== '') put.run('agent_id', agent);
}
