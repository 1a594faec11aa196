import type { Sqlite } from '../../common/sqlite.ts';
import { minuteOf } from '../../domain/bucket.ts';
import type { Ledger } from './ledger.ts';
import { type OriginalRow, originalCounted, originalTime, type RecordTable } from './record-table.ts';
import { MAX_COUNTER } from './rows.ts';

/** Rows without an agent become this one's. */
export const UNKNOWN_AGENT = 'unknown';

const COLUMNS = 'rowid, id, agent_id, conn_download, conn_upload, last_updated, start, type, process';

export interface ImportProgress {
  done: number;
  left: number;
}

/**
 * Imports the rows that an original's database brought along: each is booked once, its counters in the bucket of
 * its `last_updated`. A merge that meets a row that is not imported yet imports it first in the same transaction, so
 * import and sync may go in any order. Resumable: a row's own mark says whether it was done.
 */
export class Importer {
  readonly #db: Sqlite;
  readonly #records: RecordTable;
  readonly #ledger: Ledger;

  constructor(db: Sqlite, records: RecordTable, ledger: Ledger) {
    this.#db = db;
    this.#records = records;
    this.#ledger = ledger;
  }

  /** Rows not yet imported. */
  left(): number {
    const row = this.#db
      .prepare('SELECT count(*) AS n FROM connections INDEXED BY connections_import WHERE imported = 0')
      .get() as { n: number };
    return row.n;
  }

  /** Imports up to `limit` rows inside the caller's transaction; returns how many were left to take. */
  importSome(limit: number, now: number): number {
    const rows = this.#db
      .prepare(
        `SELECT ${COLUMNS} FROM connections INDEXED BY connections_import WHERE imported = 0 ORDER BY rowid LIMIT ?`,
      )
      .all(limit) as OriginalRow[];
    for (const row of rows) this.#importRow(row, now);
    return rows.length;
  }

  /** Imports one row, met by a merge. */
  importOne(rowid: number, now: number): void {
    const row = this.#db.prepare(`SELECT ${COLUMNS} FROM connections WHERE rowid = ?`).get(rowid);
    if (row !== undefined) this.#importRow(row as OriginalRow, now);
  }

  #importRow(row: OriginalRow, now: number): void {
    const down = counterOf(row.conn_download);
    const up = counterOf(row.conn_upload);
    if (row.id === null || row.id === '' || down === null || up === null) {
      this.#refuse(row, now);
      return;
    }
    const agentId = row.agent_id?.trim() || UNKNOWN_AGENT;
    if (agentId !== row.agent_id && this.#absorb(row, agentId, down, up)) return;
    const { at, flagged } = originalTime(row, now);
    const bucket = minuteOf(Math.min(at, now));
    const num = this.#records.takeNum();
    this.#db
      .prepare(
        `UPDATE connections SET num = ?, agent_id = ?, conn_download = ?, conn_upload = ?, counted = ?, start_ms = ?,
           updated_ms = ?, closed_at = ?, last_bucket = ?, arrived_at = ?, imported = 1 WHERE rowid = ?`,
      )
      .run(
        num,
        agentId,
        down,
        up,
        originalCounted(row) ? 1 : 0,
        originalTime({ ...row, last_updated: row.start }, at).at,
        at,
        // A v1 record without change for a day counts as closed; one that moves again opens again.
        now - at > 86_400_000 ? at : null,
        bucket,
        now,
        row.rowid,
      );
    this.#ledger.book(
      {
        num,
        rowid: row.rowid,
        agentId,
        fields: null,
        counted: originalCounted(row),
        counter: { download: down, upload: up },
        base: { download: 0, upload: 0 },
        recovered: { download: 0, upload: 0 },
        lastBucket: bucket,
        closedAt: null,
        updatedAt: at,
        isNew: false,
        changed: false,
      },
      {
        bucket,
        facts: [{ bucket, prev: 0, recovered: flagged, download: down, upload: up, conns: 1 }],
        booked: { download: down, upload: up },
        covered: { download: 0, upload: 0 },
      },
    );
    this.#countAgent(agentId, at, now);
  }

  /**
   * Rows without an agent stand several times under one id (NULLs are distinct in the original's key): the one with
   * the greatest counters stays. Returns whether this one went.
   */
  #absorb(row: OriginalRow, agentId: string, down: number, up: number): boolean {
    const others = this.#db
      .prepare(
        `SELECT rowid, conn_download AS down, conn_upload AS up, agent_id, imported FROM connections
         WHERE id = ? AND (agent_id IS NULL OR trim(agent_id) = '' OR agent_id = ?) AND rowid <> ?`,
      )
      .all(row.id, agentId, row.rowid) as {
      rowid: number;
      down: number;
      up: number;
      agent_id: string | null;
      imported: number | null;
    }[];
    const better = others.some(
      (other) =>
        other.agent_id === agentId ||
        Number(other.down) + Number(other.up) > down + up ||
        (Number(other.down) + Number(other.up) === down + up && other.rowid < row.rowid),
    );
    if (better) this.#db.prepare('DELETE FROM connections WHERE rowid = ?').run(row.rowid);
    return better;
  }

  #refuse(row: OriginalRow, now: number): void {
    const text = JSON.stringify(row, (_key, value) => (typeof value === 'bigint' ? String(value) : value));
    this.#db
      .prepare(
        "INSERT INTO quarantine (at, agent_id, what, code, row) VALUES (?, ?, 'import', 'value-out-of-range', ?)",
      )
      .run(now, row.agent_id ?? UNKNOWN_AGENT, text.slice(0, 4000));
    // Its counters are kept in quarantine; on the row they would poison every sum over records.
    this.#db
      .prepare(
        'UPDATE connections SET imported = 1, num = ?, conn_download = 0, conn_upload = 0, updated_ms = 0, start_ms = 0, arrived_at = ? WHERE rowid = ?',
      )
      .run(this.#records.takeNum(), now, row.rowid);
  }

  #countAgent(agentId: string, at: number, now: number): void {
    this.#db
      .prepare(
        `INSERT INTO agents (agent_id, first_seen, last_contact, protocol, records, booked_to) VALUES (?, ?, ?, 1, 1, ?)
         ON CONFLICT (agent_id) DO UPDATE SET records = records + 1,
           last_contact = CASE WHEN stream IS NULL THEN max(last_contact, excluded.last_contact) ELSE last_contact END`,
      )
      .run(agentId, Math.min(at, now), Math.min(at, now), minuteOf(Math.min(at, now)));
  }
}

function counterOf(value: number | bigint | null): number | null {
  if (value === null) return 0;
  const number = Number(value);
  return Number.isInteger(number) && number >= 0 && number <= MAX_COUNTER ? number : null;
}
