import { prepared, type Sqlite } from '../../common/sqlite.ts';
import { minuteOf } from '../../domain/bucket.ts';
import { type Bytes, columnOf } from '../../domain/connection.ts';
import { parseTime } from '../../domain/time.ts';
import type { EarlierRow } from '../layout/earlier-rows.ts';
import type { FieldReader, NewRecord } from '../layout/record-writer.ts';
import { introduceAgent } from './agents.ts';
import type { Ledger } from './ledger.ts';
import { type OriginalRow, originalCounted, originalTime } from './original-row.ts';
import { mergeSample } from './record.ts';
import type { RecordTable } from './record-table.ts';
import { isId, MAX_COUNTER } from './rows.ts';

/** Rows without an agent become this one's. */
export const UNKNOWN_AGENT = 'unknown';

/**
 * Makes records of the rows that a file of the original's or of an earlier version brought along (`../layout/`). Those
 * of the original's are booked, each once, its counters in the bucket of its `last_updated`; ours go over as they are. A
 * merge that meets a row takes it first in the same transaction, so this and sync may go in any order. Resumable: what
 * became a record waits no more.
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

  /** Rows of which there are no records yet. */
  left(): number {
    return this.#records.earlier.count;
  }

  /** There is work to do, be it to end it. */
  get isAtWork(): boolean {
    return this.#records.earlier.exist;
  }

  /** Takes up to `limit` rows inside the caller's transaction; returns how many are left. */
  takeSome(limit: number, now: number): number {
    const { earlier } = this.#records;
    for (const row of earlier.first(limit)) this.#take(row, now);
    const left = earlier.count;
    if (left === 0 && earlier.exist) earlier.end();
    return left;
  }

  /** Takes one row, met by a merge. */
  takeOne(rowid: number, now: number): void {
    const row = this.#records.earlier.at(rowid);
    if (row !== undefined) this.#take(row, now);
  }

  #take(row: EarlierRow, now: number): void {
    // A row of this chunk that another one had to meet was taken then.
    if (!this.#records.earlier.take(row.rowid)) return;
    if (row.imported === 0) this.#importRow(row as OriginalRow & EarlierRow, now);
    else this.#records.insert(recordOf(row as OurRow));
  }

  #importRow(row: OriginalRow & EarlierRow, now: number): void {
    const down = counterOf(row.conn_download);
    const up = counterOf(row.conn_upload);
    if (!isId(row.id) || down === null || up === null) {
      this.#refuse(row, now);
      return;
    }
    const agentId = agentOf(row);
    const { at, flagged } = timeOf(row, now);
    const bucket = minuteOf(at);
    const counter = { download: down, upload: up };
    if (agentId !== row.agent_id && this.#absorb(row.id, agentId, { minute: bucket, ...counter }, now))
      return;
    const num = this.#records.earlier.numberOf(row.rowid);
    const counted = originalCounted(row);
    this.#records.insert({
      ...importedAs(row, { num, at, now }),
      id: row.id,
      agentId,
      counted,
      counter,
      // A v1 record without change for a day counts as closed; one that moves again opens again.
      closedAt: now - at > 86_400_000 ? at : null,
      lastBucket: bucket,
    });
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
    introduceAgent(this.#db, agentId, at, 1);
  }

  /**
   * Rows without an agent stand several times under one id (NULLs are distinct in the original's key). The first
   * becomes the record; the others are merged into it as any report of a connection is, so that the greatest counters
   * count, once, in whatever order they are met. Returns whether this one went into another.
   */
  #absorb(id: string, agentId: string, values: Bytes & { minute: number }, now: number): boolean {
    const record = this.#records.find(id, agentId, (rowid) => this.takeOne(rowid, now));
    if (record === undefined) return false;
    this.#records.covers.of(record);
    const booking = mergeSample(record, { ...values, recoveredDownload: 0, recoveredUpload: 0 }, null);
    if (booking !== null) this.#ledger.book(record, booking);
    return true;
  }

  #refuse(row: OriginalRow & EarlierRow, now: number): void {
    // All of them are kept, however many: nothing else says what they held.
    prepared(
      this.#db,
      "INSERT INTO quarantine (at, agent_id, what, code, row) VALUES (?, ?, 'import', 'value-out-of-range', ?)",
    ).run(now, agentOf(row), JSON.stringify(refusedOf(row)).slice(0, 4000));
    const { at } = timeOf(row, now);
    this.#records.insert({
      ...importedAs(row, { num: this.#records.earlier.numberOf(row.rowid), at, now }),
      id: textOf(row.id),
      agentId: textOf(row.agent_id),
      counted: true,
      // Its counters are kept in quarantine; on the row they would poison every sum over records.
      counter: NONE,
      closedAt: at,
      lastBucket: 0,
    });
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

/** When it began, as far as it says so; else `at`. */
function startOf(row: OriginalRow, at: number): Pick<NewRecord, 'startMs' | 'isStartUnknown'> {
  const start = originalTime({ ...row, last_updated: row.start }, at);
  return { startMs: start.at, isStartUnknown: start.flagged };
}

const NONE: Readonly<Bytes> = { download: 0, upload: 0 };

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** What of a row says nothing that cannot be: ids and counters, times and what tells overlay. */
function refusedOf(row: OriginalRow): OriginalRow {
  const { rowid, id, agent_id, conn_download, conn_upload, last_updated, start, type, process } = row;
  return { rowid, id, agent_id, conn_download, conn_upload, last_updated, start, type, process };
}

function fieldsOf(row: EarlierRow): FieldReader {
  return (field) => row[columnOf(field)];
}

/** What all rows of the original's have in common as records. */
function importedAs(
  row: OriginalRow & EarlierRow,
  { num, at, now }: { num: number; at: number; now: number },
) {
  return {
    num,
    ...startOf(row, at),
    updatedMs: at,
    arrivedAt: now,
    base: NONE,
    recovered: NONE,
    isImported: true,
    fields: fieldsOf(row),
  };
}

/** A row that an earlier version of ours wrote, or imported. */
type OurRow = EarlierRow & {
  readonly id: unknown;
  readonly agent_id: unknown;
  readonly start: unknown;
} & Readonly<
    Record<
      | 'num'
      | 'conn_download'
      | 'conn_upload'
      | 'base_down'
      | 'base_up'
      | 'recovered_down'
      | 'recovered_up'
      | 'counted'
      | 'last_bucket',
      number
    >
  > &
  Readonly<Record<'start_ms' | 'updated_ms' | 'closed_at' | 'arrived_at', number | null>>;

function recordOf(row: OurRow): NewRecord {
  return {
    num: row.num,
    id: textOf(row.id),
    agentId: textOf(row.agent_id),
    startMs: row.start_ms,
    isStartUnknown: typeof row.start !== 'string' || parseTime(row.start) === null,
    updatedMs: row.updated_ms,
    closedAt: row.closed_at,
    arrivedAt: row.arrived_at,
    lastBucket: row.last_bucket,
    counter: { download: row.conn_download, upload: row.conn_upload },
    base: { download: row.base_down, upload: row.base_up },
    recovered: { download: row.recovered_down, upload: row.recovered_up },
    counted: row.counted === 1,
    isImported: row.imported === 1,
    fields: fieldsOf(row),
  };
}
