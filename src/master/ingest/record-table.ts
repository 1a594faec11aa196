import type { Statement } from 'better-sqlite3';
import { prepared, type Sqlite } from '../../common/sqlite.ts';
import {
  type Bytes,
  type ConnectionFields,
  columnOf,
  DESCRIPTIVE_FIELDS,
  isCounted,
} from '../../domain/connection.ts';
import { formatTime, parseTime } from '../../domain/time.ts';
import type { RecordState } from './record.ts';

const COLUMNS = DESCRIPTIVE_FIELDS.map(columnOf);

interface Row {
  rowid: number;
  num: number | null;
  counted: number;
  conn_download: number;
  conn_upload: number;
  base_down: number;
  base_up: number;
  recovered_down: number;
  recovered_up: number;
  last_bucket: number;
  closed_at: number | null;
  updated_ms: number | null;
  imported: number | null;
}

/**
 * For each descriptive column, whether it holds nothing; `isNothing` is the same for a value. No `IN`: SQLite builds a
 * table for the list of each, anew for every row, which was half of what a v1 record cost.
 */
const EMPTY = DESCRIPTIVE_FIELDS.map((field) => {
  const column = columnOf(field);
  const nothing = field.type === 'integer' ? ['0'] : ["''", "'null'", "'[]'"];
  return `(${column} IS NULL OR ${nothing.map((value) => `${column} = ${value}`).join(' OR ')})`;
});

/** A bit for each of them. */
const EMPTY_MASK = EMPTY.map((empty, i) => `(${empty} << ${i})`).join(' | ');

function isNothing(value: string | number): boolean {
  return value === '' || value === 'null' || value === '[]' || value === 0;
}

const STATE_COLUMNS = `rowid, num, counted, conn_download, conn_upload, base_down, base_up, recovered_down,
  recovered_up, last_bucket, closed_at, updated_ms, imported`;

/** Reads and writes records for one merge transaction; each record is read once and written once. */
export class RecordTable {
  readonly #db: Sqlite;
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #emptyMask: Statement;
  readonly #fill: Statement;
  /** The text of the time written last: a batch has few different ones. */
  #time = { at: Number.NaN, text: '' };
  #cache = new Map<string, RecordState>();
  #nextNum: number;
  #numsTaken = false;

  constructor(db: Sqlite) {
    this.#db = db;
    this.#nextNum = this.#storedNext();
    this.#find = db.prepare(`SELECT ${STATE_COLUMNS} FROM connections WHERE id = ? AND agent_id = ?`);
    this.#insert = db.prepare(
      `INSERT INTO connections (id, agent_id, conn_download, conn_upload, last_updated, start, ${COLUMNS.join(', ')},
         num, counted, closed_at, start_ms, updated_ms, base_down, base_up, recovered_down, recovered_up, last_bucket,
         arrived_at, imported) VALUES (${new Array(6 + COLUMNS.length + 11).fill('?').join(', ')}, NULL)`,
    );
    this.#update = db.prepare(
      `UPDATE connections SET conn_download = ?, conn_upload = ?, last_updated = ?, updated_ms = ?, base_down = ?,
         base_up = ?, recovered_down = ?, recovered_up = ?, last_bucket = ?, closed_at = ?, arrived_at = ?
       WHERE rowid = ?`,
    );
    this.#emptyMask = db.prepare(`SELECT ${EMPTY_MASK} FROM connections WHERE rowid = ?`).pluck();
    this.#fill = db.prepare(
      `UPDATE connections SET ${COLUMNS.map((c, i) => `${c} = CASE WHEN ${EMPTY[i]} THEN ? ELSE ${c} END`).join(', ')}
       WHERE rowid = ?`,
    );
  }

  #storedNext(): number {
    const row = prepared(this.#db, "SELECT value FROM meta WHERE key = 'next_num'").get() as {
      value: string;
    };
    return Number(row.value);
  }

  /** Forgets what a transaction that failed had read and numbered. */
  reset(): void {
    this.#cache.clear();
    this.#numsTaken = false;
    this.#nextNum = this.#storedNext();
  }

  takeNum(): number {
    this.#numsTaken = true;
    return this.#nextNum++;
  }

  /**
   * The record, or undefined. `onImport` is called with the rowid of a row of the original's database that was
   * not imported yet, and must import it; the record is read again then.
   */
  find(id: string, agentId: string, onImport: (rowid: number) => void): RecordState | undefined {
    const key = `${agentId}\u0000${id}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    let row = this.#find.get(id, agentId) as Row | undefined;
    if (row?.imported === 0) {
      onImport(row.rowid);
      row = this.#find.get(id, agentId) as Row | undefined;
    }
    if (row === undefined) return undefined;
    const record: RecordState = {
      num: row.num ?? 0,
      rowid: row.rowid,
      agentId,
      fields: null,
      counted: row.counted === 1,
      counter: { download: row.conn_download, upload: row.conn_upload },
      base: { download: row.base_down, upload: row.base_up },
      recovered: { download: row.recovered_down, upload: row.recovered_up },
      lastBucket: row.last_bucket,
      closedAt: row.closed_at,
      updatedAt: row.updated_ms ?? 0,
      isNew: false,
      changed: false,
    };
    this.#cache.set(key, record);
    return record;
  }

  /** A new record that starts at its base; inserted when the transaction is written. */
  create(fields: ConnectionFields, agentId: string, counted: boolean, base: Bytes): RecordState {
    const record: RecordState = {
      num: this.takeNum(),
      rowid: 0,
      agentId,
      fields,
      counted,
      counter: { ...base },
      base: { ...base },
      recovered: { download: 0, upload: 0 },
      lastBucket: 0,
      closedAt: null,
      updatedAt: 0,
      isNew: true,
      changed: true,
    };
    this.#cache.set(`${agentId}\u0000${fields.id}`, record);
    return record;
  }

  /** A row's dimensions are those first received; a later send only fills empty ones. */
  fill(record: RecordState, fields: ConnectionFields): void {
    if (record.rowid === 0) return;
    // Every v1 record comes with all its fields, and nearly none has anything new to say: looking is cheaper.
    const mask = this.#emptyMask.get(record.rowid) as number | undefined;
    if (mask === undefined) return;
    const fills = DESCRIPTIVE_FIELDS.some(
      ({ name }, i) => (mask & (1 << i)) !== 0 && !isNothing(fields[name]),
    );
    if (!fills) return;
    this.#fill.run(...DESCRIPTIVE_FIELDS.map((field) => fields[field.name]), record.rowid);
  }

  /** Writes every changed record, once. Returns how many are new, by agent. */
  write(now: number): Map<string, number> {
    const created = new Map<string, number>();
    for (const record of this.#cache.values()) {
      if (!record.changed) continue;
      record.changed = false;
      if (record.rowid === 0) {
        this.#insertRecord(record, now);
        created.set(record.agentId, (created.get(record.agentId) ?? 0) + 1);
      } else {
        this.#updateRecord(record, now);
      }
    }
    if (this.#numsTaken) {
      prepared(this.#db, "UPDATE meta SET value = ? WHERE key = 'next_num'").run(String(this.#nextNum));
      this.#numsTaken = false;
    }
    this.#cache.clear();
    return created;
  }

  #timeText(at: number): string {
    if (this.#time.at !== at) this.#time = { at, text: formatTime(at) };
    return this.#time.text;
  }

  #insertRecord(record: RecordState, now: number): void {
    const fields = record.fields;
    if (fields === null) throw new Error('a new record must have fields');
    const result = this.#insert.run(
      fields.id,
      record.agentId,
      record.counter.download,
      record.counter.upload,
      this.#timeText(record.updatedAt),
      fields.start === 0 ? '' : formatTime(fields.start),
      ...DESCRIPTIVE_FIELDS.map((field) => fields[field.name]),
      record.num,
      record.counted ? 1 : 0,
      record.closedAt,
      fields.start === 0 ? record.updatedAt : fields.start,
      record.updatedAt,
      record.base.download,
      record.base.upload,
      record.recovered.download,
      record.recovered.upload,
      record.lastBucket,
      now,
    );
    record.rowid = Number(result.lastInsertRowid);
  }

  #updateRecord(record: RecordState, now: number): void {
    this.#update.run(
      record.counter.download,
      record.counter.upload,
      this.#timeText(record.updatedAt),
      record.updatedAt,
      record.base.download,
      record.base.upload,
      record.recovered.download,
      record.recovered.upload,
      record.lastBucket,
      record.closedAt,
      now,
      record.rowid,
    );
  }
}

export interface OriginalRow {
  rowid: number;
  id: string | null;
  agent_id: string | null;
  conn_download: number | bigint | null;
  conn_upload: number | bigint | null;
  last_updated: string | null;
  start: string | null;
  type: string | null;
  process: string | null;
}

/** When a row of the original's was last seen: its `last_updated`, else its `start`, else `fallback` (epoch ms). */
export function originalTime(row: OriginalRow, fallback: number): { at: number; flagged: boolean } {
  const updated = timeIn(row.last_updated);
  if (updated !== null) return { at: updated, flagged: false };
  const start = timeIn(row.start);
  return { at: start ?? fallback, flagged: true };
}

/** A file that people work on with other programs may hold anything in any column. */
function timeIn(value: unknown): number | null {
  return typeof value === 'string' ? parseTime(value) : null;
}

export function originalCounted(row: OriginalRow): boolean {
  return isCounted({ conn_type: row.type ?? '', process: row.process ?? '' });
}
