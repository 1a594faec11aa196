import type { Statement } from 'better-sqlite3';
import { prepared, type Sqlite } from '../../common/sqlite.ts';
import { type Bytes, type ConnectionFields, columnOf, DESCRIPTIVE_FIELDS } from '../../domain/connection.ts';
import { EMPTY_TEXTS, formOf } from '../layout/columns.ts';
import { EarlierRows } from '../layout/earlier-rows.ts';
import { type FieldReader, type NewRecord, RecordWriter, storedId } from '../layout/record-writer.ts';
import { Covers } from './covers.ts';
import { HotRecords } from './hot-records.ts';
import type { RecordState } from './record.ts';

const COLUMNS = DESCRIPTIVE_FIELDS.map(columnOf);

interface Row {
  num: number;
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
  arrived_at: number | null;
}

/**
 * For each descriptive column, whether it holds nothing; `isNothing` is the same for a value. No `IN`: SQLite builds a
 * table for the list of each, anew for every row, which was half of what a v1 record cost.
 */
const EMPTY = DESCRIPTIVE_FIELDS.map((field) => {
  const column = columnOf(field);
  const nothing = {
    integer: `${column} = 0`,
    text: `${column} < ${EMPTY_TEXTS.length}`,
    port: EMPTY_TEXTS.map((text) => `CAST(${column} AS TEXT) = '${text}'`).join(' OR '),
  };
  return `(${column} IS NULL OR ${nothing[formOf(field)]})`;
});

/** A bit for each of them. */
const EMPTY_MASK = EMPTY.map((empty, i) => `(${empty} << ${i})`).join(' | ');

function isNothing(value: string | number): boolean {
  return value === 0 || EMPTY_TEXTS.includes(value as (typeof EMPTY_TEXTS)[number]);
}

const STATE_COLUMNS = `num, counted, conn_download, conn_upload, base_down, base_up, recovered_down, recovered_up,
  last_bucket, closed_at, updated_ms, arrived_at`;

/** What nearly every sample changes. An index is rewritten for each column that a statement names, changed or not. */
const MOVED = 'conn_download = ?, conn_upload = ?, updated_ms = ?, last_bucket = ?, arrived_at = ?';
const CHANGED_RARELY = 'base_down = ?, base_up = ?, recovered_down = ?, recovered_up = ?, closed_at = ?';

/** A sample that changes nothing is written down as an arrival so long after the newest one that is; see `heard`. */
export const HEARD_MS = 3_600_000;

/** Reads and writes records for one merge transaction; each record is read at most once and written once. */
export class RecordTable {
  readonly covers: Covers;
  /** Rows that are no records yet. */
  readonly earlier: EarlierRows;
  readonly #db: Sqlite;
  readonly #writer: RecordWriter;
  readonly #find: Statement;
  readonly #move: Statement;
  readonly #rewrite: Statement;
  readonly #emptyMask: Statement;
  readonly #fill: Statement;
  readonly #hot = new HotRecords();
  /** Records that this transaction has read or made. */
  #met = new Set<RecordState>();
  #nextNum: number;
  #numsTaken = false;

  constructor(db: Sqlite) {
    this.#db = db;
    this.covers = new Covers(db);
    this.earlier = new EarlierRows(db);
    this.#writer = new RecordWriter(db);
    this.#nextNum = this.#storedNext();
    this.#find = db.prepare(`SELECT ${STATE_COLUMNS} FROM records WHERE id = ? AND agent_id = ?`);
    this.#move = db.prepare(`UPDATE records SET ${MOVED} WHERE num = ?`);
    this.#rewrite = db.prepare(`UPDATE records SET ${MOVED}, ${CHANGED_RARELY} WHERE num = ?`);
    this.#emptyMask = db.prepare(`SELECT ${EMPTY_MASK} FROM records WHERE num = ?`).pluck();
    this.#fill = db.prepare(
      `UPDATE records SET ${COLUMNS.map((c, i) => `${c} = CASE WHEN ${EMPTY[i]} THEN ? ELSE ${c} END`).join(', ')}
       WHERE num = ?`,
    );
  }

  #storedNext(): number {
    const row = prepared(this.#db, "SELECT value FROM meta WHERE key = 'next_num'").get() as {
      value: string;
    };
    return Number(row.value);
  }

  /** Forgets what a transaction that failed had read, changed and numbered. */
  reset(): void {
    this.forget();
    this.earlier.reset();
    this.#writer.texts.forget();
    this.#numsTaken = false;
    this.#nextNum = this.#storedNext();
  }

  /** To be called by whoever changes or removes records in the file by other means. */
  forget(): void {
    this.#hot.clear();
    this.#met.clear();
  }

  takeNum(): number {
    this.#numsTaken = true;
    return this.#nextNum++;
  }

  /** The record if it is in memory, where each one is that this transaction has met. */
  hot(id: string, agentId: string): RecordState | undefined {
    const record = this.#hot.get(agentId, id);
    if (record !== undefined) this.#met.add(record);
    return record;
  }

  /**
   * The record, or undefined. `onEarlier` is called with the rowid of a row that is no record yet, and must make one of
   * it; the record is read then.
   */
  find(id: string, agentId: string, onEarlier: (rowid: number) => void): RecordState | undefined {
    const hot = this.hot(id, agentId);
    if (hot !== undefined) return hot;
    let row = this.#read(id, agentId);
    const earlier = row === undefined ? this.earlier.find(id, agentId) : undefined;
    if (earlier !== undefined) {
      onEarlier(earlier);
      row = this.#read(id, agentId);
    }
    if (row === undefined) return undefined;
    const record: RecordState = {
      num: row.num,
      isStored: true,
      agentId,
      fields: null,
      empty: null,
      covers: null,
      counted: row.counted === 1,
      counter: { download: row.conn_download, upload: row.conn_upload },
      base: { download: row.base_down, upload: row.base_up },
      recovered: { download: row.recovered_down, upload: row.recovered_up },
      lastBucket: row.last_bucket,
      closedAt: row.closed_at,
      updatedAt: row.updated_ms ?? 0,
      arrivedAt: row.arrived_at ?? 0,
      isNew: false,
      changed: false,
      changedRarely: false,
      coversChanged: false,
    };
    this.#keep(id, record);
    return record;
  }

  #read(id: string, agentId: string): Row | undefined {
    const agent = this.#writer.texts.known(agentId);
    return agent === undefined ? undefined : (this.#find.get(storedId(id), agent) as Row | undefined);
  }

  /** A record that did not come by a sample, into the file at once. */
  insert(record: NewRecord): void {
    this.#writer.insert(record);
  }

  /** A new record that starts at its base; inserted when the transaction is written. */
  create(fields: ConnectionFields, agentId: string, counted: boolean, base: Bytes): RecordState {
    const record: RecordState = {
      num: this.takeNum(),
      isStored: false,
      agentId,
      fields,
      empty: null,
      // No number was ever used before, so the file can have none.
      covers: [],
      counted,
      counter: { ...base },
      base: { ...base },
      recovered: { download: 0, upload: 0 },
      lastBucket: 0,
      closedAt: null,
      updatedAt: 0,
      arrivedAt: 0,
      isNew: true,
      changed: true,
      changedRarely: false,
      coversChanged: false,
    };
    this.#keep(fields.id, record);
    return record;
  }

  #keep(id: string, record: RecordState): void {
    this.#hot.put(record.agentId, id, record);
    this.#met.add(record);
  }

  /** A row's dimensions are those first received; a later send only fills empty ones. */
  fill(record: RecordState, read: FieldReader<string | number>): void {
    if (!record.isStored) return;
    // Every v1 record comes with all its fields, and nearly none has anything new to say: looking is cheaper.
    record.empty ??= (this.#emptyMask.get(record.num) as number | undefined) ?? 0;
    const mask = record.empty;
    if (mask === 0) return;
    const fills = DESCRIPTIVE_FIELDS.some((field, i) => (mask & (1 << i)) !== 0 && !isNothing(read(field)));
    if (!fills) return;
    this.#fill.run(...this.#writer.fields(read), record.num);
    record.empty = null;
  }

  /**
   * A sample of it arrived, whether or not it said anything new. Retention goes by arrivals, and must not remove what
   * somebody goes on telling of; but not every repetition is worth a write.
   */
  heard(record: RecordState, now: number): void {
    if (now - record.arrivedAt >= HEARD_MS) record.changed = true;
  }

  /** To be called for a record that retention removed from the file. */
  drop(agentId: string, id: string): void {
    this.#hot.delete(agentId, id);
  }

  /** Writes every changed record, once. Returns how many are new, by agent. */
  write(now: number): Map<string, number> {
    const created = new Map<string, number>();
    // Table by table: going to and fro between two of them costs the cache of the processor.
    for (const record of this.#met) this.covers.write(record);
    for (const record of this.#met) {
      if (!record.changed) continue;
      if (!record.isStored) {
        this.#insertRecord(record, now);
        created.set(record.agentId, (created.get(record.agentId) ?? 0) + 1);
      } else {
        this.#updateRecord(record, now);
      }
      record.arrivedAt = now;
      record.changed = false;
      record.changedRarely = false;
    }
    if (this.#numsTaken) {
      prepared(this.#db, "UPDATE meta SET value = ? WHERE key = 'next_num'").run(String(this.#nextNum));
      this.#numsTaken = false;
    }
    this.#met.clear();
    return created;
  }

  /** The transaction is in the file. */
  committed(): void {
    this.#hot.age();
  }

  #insertRecord(record: RecordState, now: number): void {
    const { fields, agentId, updatedAt } = record;
    if (fields === null) throw new Error('a new record must have fields');
    const isStartUnknown = fields.start === 0;
    this.#writer.insert({
      num: record.num,
      id: fields.id,
      agentId,
      startMs: isStartUnknown ? updatedAt : fields.start,
      isStartUnknown,
      updatedMs: updatedAt,
      closedAt: record.closedAt,
      arrivedAt: now,
      lastBucket: record.lastBucket,
      counter: record.counter,
      base: record.base,
      recovered: record.recovered,
      counted: record.counted,
      isImported: false,
      fields: (field) => fields[field.name],
    });
    record.isStored = true;
    record.fields = null;
  }

  #updateRecord(record: RecordState, now: number): void {
    const { counter, base, recovered, updatedAt, lastBucket, num } = record;
    const { download, upload } = counter;
    const { changes } = record.changedRarely
      ? this.#rewrite.run(
          ...[download, upload, updatedAt, lastBucket, now],
          ...[base.download, base.upload, recovered.download, recovered.upload, record.closedAt],
          num,
        )
      : this.#move.run(download, upload, updatedAt, lastBucket, now, num);
    if (changes !== 1) throw new Error(`the record ${num} is not in the file any more`);
  }
}
