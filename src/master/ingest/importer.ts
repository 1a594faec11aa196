import type { Sqlite } from '../../common/sqlite.ts';
import { minuteOf } from '../../domain/bucket.ts';
import type { Bytes } from '../../domain/connection.ts';
import type { Ledger } from './ledger.ts';
import { type OriginalRow, originalCounted, originalTime } from './original-row.ts';
import { mergeSample } from './record.ts';
import type { RecordTable } from './record-table.ts';
import { isId, MAX_COUNTER } from './rows.ts';

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
    if (!isId(row.id) || down === null || up === null) {
      this.#refuse(row, now);
      return;
    }
    const agentId = agentOf(row);
    const { at, flagged } = timeOf(row, now);
    const bucket = minuteOf(at);
    if (
      agentId !== row.agent_id &&
      this.#absorb(row, agentId, { minute: bucket, download: down, upload: up }, now)
    ) {
      return;
    }
    const num = this.#records.takeNum();
    const counted = originalCounted(row);
    const { changes } = this.#db
      .prepare(
        `UPDATE connections SET num = ?, agent_id = ?, conn_download = ?, conn_upload = ?, counted = ?, start_ms = ?,
           updated_ms = ?, closed_at = ?, last_bucket = ?, arrived_at = ?, imported = 1 WHERE rowid = ? AND imported = 0`,
      )
      .run(
        num,
        agentId,
        down,
        up,
        counted ? 1 : 0,
        startOf(row, at),
        at,
        // A v1 record without change for a day counts as closed; one that moves again opens again.
        now - at > 86_400_000 ? at : null,
        bucket,
        now,
        row.rowid,
      );
    // A row of this chunk that another one had to meet was imported then.
    if (changes === 0) return;
    this.#ledger.book(
      { num, agentId, counted },
      {
        bucket,
        facts: [{ bucket, prev: 0, recovered: flagged, download: down, upload: up, conns: 1 }],
        booked: { download: down, upload: up },
        covered: { download: 0, upload: 0 },
        minute: bucket,
        repeated: { download: 0, upload: 0 },
      },
    );
    this.#countAgent(agentId, at);
  }

  /**
   * Rows without an agent stand several times under one id (NULLs are distinct in the original's key). The first
   * becomes the record; the others are merged into it as any report of a connection is, so that the greatest counters
   * count, once, in whatever order they are met. Returns whether this one went into another.
   */
  #absorb(row: OriginalRow, agentId: string, values: Bytes & { minute: number }, now: number): boolean {
    const record = this.#records.find(row.id ?? '', agentId, (rowid) => this.importOne(rowid, now));
    if (record === undefined) return false;
    this.#db.prepare('DELETE FROM connections WHERE rowid = ?').run(row.rowid);
    this.#records.covers.of(record);
    const booking = mergeSample(record, { ...values, recoveredDownload: 0, recoveredUpload: 0 }, null);
    if (booking !== null) this.#ledger.book(record, booking);
    return true;
  }

  #refuse(row: OriginalRow, now: number): void {
    const text = JSON.stringify(row, (_key, value) => (typeof value === 'bigint' ? String(value) : value));
    this.#db
      .prepare(
        "INSERT INTO quarantine (at, agent_id, what, code, row) VALUES (?, ?, 'import', 'value-out-of-range', ?)",
      )
      .run(now, agentOf(row), text.slice(0, 4000));
    const { at } = timeOf(row, now);
    // Its counters are kept in quarantine; on the row they would poison every sum over records.
    this.#db
      .prepare(
        `UPDATE connections SET imported = 1, num = ?, conn_download = 0, conn_upload = 0, updated_ms = ?, start_ms = ?,
           closed_at = ?, arrived_at = ? WHERE rowid = ?`,
      )
      .run(this.#records.takeNum(), at, startOf(row, at), at, now, row.rowid);
  }

  #countAgent(agentId: string, at: number): void {
    this.#db
      .prepare(
        `INSERT INTO agents (agent_id, first_seen, last_contact, protocol, records, booked_to) VALUES (?, ?, ?, 1, 1, ?)
         ON CONFLICT (agent_id) DO UPDATE SET records = records + 1,
           last_contact = CASE WHEN stream IS NULL THEN max(last_contact, excluded.last_contact) ELSE last_contact END`,
      )
      .run(agentId, at, at, minuteOf(at));
  }
}

function counterOf(value: number | bigint | null): number | null {
  if (value === null) return 0;
  const number = Number(value);
  return Number.isInteger(number) && number >= 0 && number <= MAX_COUNTER ? number : null;
}

function agentOf(row: OriginalRow): string {
  return (typeof row.agent_id === 'string' ? row.agent_id.trim() : '') || UNKNOWN_AGENT;
}

/** When it was last seen; nothing happened later than now, whatever clock wrote it. */
function timeOf(row: OriginalRow, now: number): { at: number; flagged: boolean } {
  const { at, flagged } = originalTime(row, now);
  return { at: Math.min(at, now), flagged };
}

function startOf(row: OriginalRow, at: number): number {
  return originalTime({ ...row, last_updated: row.start }, at).at;
}
