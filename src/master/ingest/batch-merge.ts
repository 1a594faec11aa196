import { prepared, type Sqlite } from '../../common/sqlite.ts';
import { MINUTE_MS, minuteOf } from '../../domain/bucket.ts';
import type { Bytes, ConnectionFields } from '../../domain/connection.ts';
import {
  FLAG_AGAIN,
  FLAG_SENT_BEFORE,
  type RejectCode,
  ROW_ORDER,
  type RowArray,
} from '../../protocol/constants.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import type { Stream } from './heads.ts';
import type { Ledger } from './ledger.ts';
import { mergeSample, type RecordState, setClosed } from './record.ts';
import type { RecordTable } from './record-table.ts';
import { FIRST_MINUTE, fieldsOfRow, isId, isRow, isShowable, MAX_COUNTER } from './rows.ts';

/** Samples later than that after the master's now are booked at its now (I6). */
export const SKEW_MINUTES = 10;

interface Introduced {
  fields: ConnectionFields;
  base: Bytes;
  counted: boolean;
  /** The file has no record of it, so there is no need to look again. */
  isNew: boolean;
}

export interface MergeContext {
  db: Sqlite;
  records: RecordTable;
  ledger: Ledger;
  /** Epoch ms of the master's clock. */
  now: number;
  /** Epoch ms, on a minute: whatever came of records that were pruned lies before it. */
  horizon: number;
  /** Makes a record of a row of the earlier layout that is met. */
  onEarlier: (rowid: number) => void;
}

type Row = (number | string)[];

/** Merges one accepted v2 batch, array by array, row by row; a bad row is refused alone. */
export class BatchMerge {
  readonly #context: MergeContext;
  readonly #request: SyncRequest;
  readonly #stream: Stream;
  readonly #agentId: string;
  /** A sample sent before counts as `again` unless the head is exactly `prev` (docs/sync.md). */
  readonly #againFlags: number;
  readonly #introduced = new Map<number, Introduced>();
  /** By how much the totals rose in this batch. */
  #risen: Bytes = { download: 0, upload: 0 };
  readonly rejected: [RowArray, number, RejectCode][] = [];
  accepted = 0;
  bookedTo = 0;
  late = 0;

  constructor(
    context: MergeContext,
    request: SyncRequest,
    agentId: string,
    stream: Stream,
    headBefore: string | null,
  ) {
    this.#context = context;
    this.#request = request;
    this.#agentId = agentId;
    this.#stream = stream;
    this.#againFlags = FLAG_AGAIN | (headBefore === request.prev ? 0 : FLAG_SENT_BEFORE);
  }

  run(): void {
    for (const array of ROW_ORDER) {
      this.#request[array].forEach((row, index) => {
        const code = isRow(array, row) ? this.#merge(array, row) : 'malformed';
        if (code === null) this.accepted++;
        else this.rejected.push([array, index, code]);
      });
    }
    this.#keepTotals();
  }

  #merge(array: RowArray, row: Row): RejectCode | null {
    switch (array) {
      case 'runs':
        if (!isShowable(Number(row[1]))) return 'value-out-of-range';
        return this.#mark('runs', ['from_ms', 'version'], [row[0], row[1], this.#text(row[2])]);
      case 'gaps':
        if (!isInterval(row)) return 'value-out-of-range';
        return this.#mark('gaps', ['from_ms', 'to_ms', 'reason'], row);
      case 'lost':
        if (!isInterval(row)) return 'value-out-of-range';
        return this.#mark('lost', ['from_ms', 'to_ms', 'down', 'up', 'connections', 'reason'], row);
      case 'connections':
        return this.#introduce(row);
      case 'samples':
        return this.#sample(row as number[]);
      case 'totals':
        return this.#totals(row as number[]);
      case 'closed':
        return this.#closed(row as number[]);
    }
  }

  #text(index: number | string | undefined): string | null {
    return this.#request.strings[Number(index)] ?? null;
  }

  /** The id of a connection that a row names, or null when it names none. */
  #id(index: number): string | null {
    const id = this.#text(index);
    return isId(id) ? id : null;
  }

  /** Gaps, runs and lost rows: idempotent by their key in the stream, the newest version counts. */
  #mark(
    table: 'runs' | 'gaps' | 'lost',
    columns: string[],
    row: (number | string | null | undefined)[],
  ): RejectCode | null {
    const [id, ...values] = row;
    if (values.some((value) => value === null || value === undefined)) return 'malformed';
    prepared(
      this.#context.db,
      `INSERT INTO ${table} (stream, id, ${columns.join(', ')}) VALUES (?, ?, ${columns.map(() => '?').join(', ')})
         ON CONFLICT (stream, id) DO UPDATE SET ${columns.map((c) => `${c} = excluded.${c}`).join(', ')}`,
    ).run(this.#stream.num, id, ...values);
    return null;
  }

  #introduce(row: Row): RejectCode | null {
    const fields = fieldsOfRow(row, this.#request.strings);
    if (fields === null) return 'malformed';
    const base = { download: Number(row[2]), upload: Number(row[3]) };
    if (base.download > MAX_COUNTER || base.upload > MAX_COUNTER) return 'value-out-of-range';
    const record = this.#find(fields.id);
    const isNew = record === undefined;
    this.#introduced.set(Number(row[0]), { fields, base, counted: row[4] === 1, isNew });
    if (record === undefined) return null;
    this.#context.records.fill(record, ({ name }) => fields[name]);
    this.#context.records.covers.base(record, this.#stream.num, base);
    return null;
  }

  #find(id: string): RecordState | undefined {
    return this.#context.records.find(id, this.#agentId, this.#context.onEarlier);
  }

  #sample(row: number[]): RejectCode | null {
    const [index = -1, minute = 0, down = 0, up = 0, recoveredDown = 0, recoveredUp = 0, flags = 0] = row;
    if (down > MAX_COUNTER || up > MAX_COUNTER || minute < FIRST_MINUTE) return 'value-out-of-range';
    const id = this.#id(index);
    if (id === null) return 'malformed';
    const introduced = this.#introduced.get(index);
    let record = introduced?.isNew ? this.#context.records.hot(id, this.#agentId) : this.#find(id);
    if (record === undefined) {
      if (introduced === undefined) return 'unknown-connection';
      if ((flags & this.#againFlags) !== 0 && minute < minuteOf(this.#context.horizon)) return 'too-old';
      record = this.#context.records.create(
        introduced.fields,
        this.#agentId,
        introduced.counted,
        introduced.base,
      );
      this.#context.records.covers.base(record, this.#stream.num, introduced.base);
    }
    const cover = this.#context.records.covers.find(record, this.#stream.num);
    if (cover === undefined) return 'unknown-connection';
    const at = this.#bounded(minute);
    const booking = mergeSample(
      record,
      {
        minute: at,
        download: down,
        upload: up,
        recoveredDownload: recoveredDown,
        recoveredUpload: recoveredUp,
      },
      cover,
    );
    this.#context.records.heard(record, this.#context.now);
    if (booking !== null) {
      this.#context.ledger.book(record, booking);
      if (booking.facts.length > 0) this.#touch(record, (at + 1) * MINUTE_MS - 1);
    }
    this.bookedTo = Math.max(this.bookedTo, at);
    return null;
  }

  #touch(record: RecordState, at: number): void {
    record.updatedAt = Math.max(record.updatedAt, Math.min(at, this.#context.now));
    if (record.closedAt !== null) setClosed(record, Math.max(record.closedAt, record.updatedAt));
  }

  #bounded(minute: number): number {
    const now = minuteOf(this.#context.now);
    if (minute <= now + SKEW_MINUTES) return minute;
    this.late++;
    return now;
  }

  #totals(row: number[]): RejectCode | null {
    const [minute = 0, down = 0, up = 0] = row;
    const { totals } = this.#stream;
    const increase = {
      download: Math.max(0, down - totals.download),
      upload: Math.max(0, up - totals.upload),
    };
    if (minute < FIRST_MINUTE || !this.#withinReason(increase)) return 'value-out-of-range';
    totals.download += increase.download;
    totals.upload += increase.upload;
    const at = this.#bounded(minute);
    if (increase.download > 0 || increase.upload > 0) this.#context.ledger.total(this.#agentId, at, increase);
    this.bookedTo = Math.max(this.bookedTo, at);
    return null;
  }

  /**
   * All totals of a batch together may not rise by more than one connection: they become a single fact of a minute, and
   * a lot of such facts must stay within 64 bits.
   */
  #withinReason(increase: Bytes): boolean {
    const download = this.#risen.download + increase.download;
    const upload = this.#risen.upload + increase.upload;
    if (download > MAX_COUNTER || upload > MAX_COUNTER) return false;
    this.#risen = { download, upload };
    return true;
  }

  #closed(row: number[]): RejectCode | null {
    const [index = -1, closedAt = 0] = row;
    const id = this.#id(index);
    if (id === null) return 'malformed';
    const record = this.#find(id);
    // Pruned here, or its samples were refused: there is nothing left to close.
    if (record === undefined) return null;
    setClosed(record, Math.max(record.closedAt ?? 0, Math.min(closedAt, this.#context.now)));
    return null;
  }

  #keepTotals(): void {
    const { totals, num } = this.#stream;
    prepared(this.#context.db, 'UPDATE streams SET totals_down = ?, totals_up = ? WHERE num = ?').run(
      totals.download,
      totals.upload,
      num,
    );
  }
}

/** `[id, from, to, …]` of which both times can be shown. */
function isInterval(row: Row): boolean {
  return isShowable(Number(row[1])) && isShowable(Number(row[2]));
}
