import { randomUUID } from 'node:crypto';
import { prepared, type Sqlite } from '../../common/sqlite.ts';
import { DESCRIPTIVE_FIELDS } from '../../domain/connection.ts';
import { FLAG_AGAIN, FLAG_SENT_BEFORE, MAX_INFLIGHT, type RowArray } from '../../protocol/constants.ts';
import type { Journal } from './journal.ts';
import { type ConnectionRow, fieldsOfRow } from './rows.ts';
import { FLAG_ADOPTED } from './schema.ts';
import { StringTable } from './string-table.ts';

/** Counting millions of rows takes longer than sending some of them: it gets one part in so many of the time. */
const COUNT_SHARE = 50;
/** A count that is done so soon is made each time. */
const QUICK_MS = 2;

/** A row of a batch: its key in the journal and the revision that was sent. */
type Ref = readonly [key: number, rev: number];

/** What is sent in one request, and what an answer to it acknowledges. */
export interface Batch {
  id: string;
  prev: string | null;
  inflight: string[];
  rows: Record<RowArray, unknown[][]>;
  strings: string[];
  count: number;
  /** The journal's when it was chosen: what changes afterwards has a later one. */
  rev: number;
  refs: {
    /** All dirty ones up to the last of them, as they were. */
    samples: SampleRow[];
    connections: Ref[];
    closed: Ref[];
    totals: Ref[];
    gaps: Ref[];
    runs: Ref[];
    lost: Ref[];
  };
}

/** A sample with what its connection's row says of itself: its id, and whether it has to go along. */
export interface SampleRow {
  minute: number;
  conn: number;
  down: number;
  up: number;
  rdown: number;
  rup: number;
  flags: number;
  rev: number;
  id: string;
  news: number;
}

/**
 * Chooses what is sent. Samples go in order of (minute, connection), which is the order in which they came to be
 * for every connection; a connection's row goes with its first sample, its close after its last one. What was
 * acknowledged is known by revision, so a row that changed meanwhile stays dirty. No time is a cursor.
 */
export class Outbox {
  readonly #journal: Journal;
  readonly #db: Sqlite;
  #waiting = 0;
  /** Monotonic milliseconds. */
  #countNotBefore = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#db = journal.db;
  }

  /** Rows waiting, to be told: counted as often as that costs next to nothing, estimated in between. */
  backlog(): number {
    const began = performance.now();
    if (began >= this.#countNotBefore) {
      this.#waiting = this.#count();
      const took = performance.now() - began;
      this.#countNotBefore = took < QUICK_MS ? 0 : began + COUNT_SHARE * took;
    }
    return this.#waiting;
  }

  /** The rows of a batch wait no more. */
  delivered(batch: Batch): void {
    const rows = batch.rows.samples.length + batch.rows.closed.length;
    this.#waiting = Math.max(0, this.#waiting - rows);
  }

  #count(): number {
    const row = prepared(
      this.#db,
      `SELECT (SELECT count(*) FROM samples INDEXED BY samples_dirty WHERE dirty = 1)
          + (SELECT count(*) FROM connections INDEXED BY connections_close_dirty WHERE close_dirty = 1) AS n`,
    ).get() as { n: number };
    return row.n;
  }

  /**
   * The next batch of about `maxRows` rows; it may be empty (a sign of life that carries `prev`), and is with 0.
   * Samples and totals of the minute `before` and later ones wait.
   */
  next(maxRows: number, before = Number.MAX_SAFE_INTEGER): Batch {
    const strings = new StringTable();
    const batch: Batch = {
      id: randomUUID(),
      prev: this.#journal.meta('prev') ?? null,
      inflight: this.inflight(),
      rows: { runs: [], gaps: [], connections: [], samples: [], totals: [], closed: [], lost: [] },
      strings: strings.list,
      count: 0,
      rev: this.#journal.rev,
      refs: { samples: [], connections: [], closed: [], totals: [], gaps: [], runs: [], lost: [] },
    };
    if (maxRows === 0) return batch;
    const room = () => Math.max(0, maxRows - batch.count);
    this.#takeSmall(batch, strings, Math.max(1, Math.floor(maxRows / 8)));
    // Samples, and the rows of connections that they bring along, leave room for totals and closes: none starves.
    const share = batch.count + (room() > 0 ? Math.max(1, Math.floor((room() * 2) / 3)) : 0);
    const limit = share - batch.count;
    const samples = prepared(
      this.#db,
      `SELECT minute, conn, down, up, rdown, rup, flags, s.rev, c.id, c.dirty AS news
         FROM samples s INDEXED BY samples_dirty CROSS JOIN connections c ON c.key = s.conn
         WHERE s.dirty = 1 AND minute < ? AND flags & ${FLAG_ADOPTED} = 0 ORDER BY minute, conn LIMIT ?`,
    ).all(before, limit) as SampleRow[];
    const ids = new Map<number, number>();
    let newest = 0;
    for (const sample of samples) {
      if (batch.count >= share) break;
      this.#takeSample(batch, strings, sample, ids);
      newest = sample.minute;
    }
    const all = samples.length < limit && batch.rows.samples.length === samples.length;
    this.#takeTotals(batch, all ? before - 1 : newest, Math.ceil(room() / 2));
    this.#takeClosed(batch, strings, all ? before : newest, room(), ids);
    return batch;
  }

  #takeSample(batch: Batch, strings: StringTable, sample: SampleRow, ids: Map<number, number>): void {
    let id = ids.get(sample.conn);
    if (id === undefined) {
      id = strings.index(sample.id);
      if (sample.news === 1) this.#takeConnection(batch, strings, sample.conn, id);
      ids.set(sample.conn, id);
    }
    const flags = (sample.flags & FLAG_AGAIN) | (sample.flags & FLAG_SENT_BEFORE ? FLAG_SENT_BEFORE : 0);
    batch.rows.samples.push([id, sample.minute, sample.down, sample.up, sample.rdown, sample.rup, flags]);
    batch.refs.samples.push(sample);
    batch.count++;
  }

  /** The connection's row goes along until it was acknowledged once. `id` is the index of its id. */
  #takeConnection(batch: Batch, strings: StringTable, key: number, id: number): void {
    const row = prepared(this.#db, 'SELECT * FROM connections WHERE key = ?').get(key) as ConnectionRow;
    const fields = fieldsOfRow(row);
    batch.rows.connections.push([
      id,
      fields.start,
      Number(row.base_down) + Number(row.adopted_down),
      Number(row.base_up) + Number(row.adopted_up),
      Number(row.counted),
      ...DESCRIPTIVE_FIELDS.map((field) =>
        field.type === 'integer' ? Number(fields[field.name]) : strings.index(String(fields[field.name])),
      ),
    ]);
    batch.refs.connections.push([key, Number(row.rev)]);
    batch.count++;
  }

  #takeTotals(batch: Batch, upTo: number, room: number): void {
    const rows = prepared(
      this.#db,
      'SELECT minute, down, up, rev FROM totals INDEXED BY totals_dirty WHERE dirty = 1 AND minute <= ? ORDER BY minute LIMIT ?',
    ).all(upTo, room) as { minute: number; down: number; up: number; rev: number }[];
    for (const row of rows) {
      batch.rows.totals.push([row.minute, row.down, row.up]);
      batch.refs.totals.push([row.minute, row.rev]);
      batch.count++;
    }
  }

  /** Closes of connections all of whose samples were sent before, or are in this batch. */
  #takeClosed(
    batch: Batch,
    strings: StringTable,
    before: number,
    room: number,
    ids: Map<number, number>,
  ): void {
    const rows = prepared(
      this.#db,
      `SELECT key, id, dirty, closed_at, close_rev FROM connections INDEXED BY connections_close_dirty
         WHERE close_dirty = 1 AND last_minute < ? AND agent_id = ? ORDER BY last_minute LIMIT ?`,
    ).all(before, this.#journal.agentId, room) as {
      key: number;
      id: string;
      dirty: number;
      closed_at: number;
      close_rev: number;
    }[];
    const end = batch.count + room;
    for (const row of rows) {
      const known = ids.get(row.key) ?? (row.dirty === 0 ? strings.index(row.id) : undefined);
      // One that brings its connection's row must find room for both, unless it is the only one.
      if (known === undefined && batch.count + 2 > end && batch.count > 0) break;
      if (batch.count >= end) break;
      const id = known ?? strings.index(row.id);
      if (known === undefined) this.#takeConnection(batch, strings, row.key, id);
      batch.rows.closed.push([id, row.closed_at]);
      batch.refs.closed.push([row.key, row.close_rev]);
      batch.count++;
    }
  }

  #takeSmall(batch: Batch, strings: StringTable, room: number): void {
    type Small = { id: number; rev: number } & Record<string, number | string>;
    const take = (table: 'runs' | 'gaps' | 'lost', row: (r: Small) => unknown[]) => {
      const rows = prepared(this.#db, `SELECT * FROM ${table} WHERE dirty = 1 ORDER BY id LIMIT ?`).all(
        Math.max(0, room - batch.count),
      ) as Small[];
      for (const item of rows) {
        batch.rows[table].push(row(item));
        batch.refs[table].push([item.id, item.rev]);
        batch.count++;
      }
    };
    take('runs', (r) => [r.id, r.from_ms, strings.index(String(r.version))]);
    take('gaps', (r) => [r.id, r.from_ms, r.to_ms, r.reason]);
    take('lost', (r) => [r.id, r.from_ms, r.to_ms, r.down, r.up, r.connections, r.reason]);
  }

  /** Batches sent since the last answer, oldest first. */
  inflight(): string[] {
    const rows = prepared(this.#db, 'SELECT batch FROM inflight ORDER BY seq').all() as { batch: string }[];
    return rows.map((row) => row.batch);
  }

  /** Before a batch leaves: it is in flight, and its samples are marked as sent. One transaction. */
  sending(batch: Batch): void {
    this.#db.transaction(() => {
      prepared(this.#db, 'INSERT INTO inflight (batch) VALUES (?)').run(batch.id);
      prepared(
        this.#db,
        `DELETE FROM inflight WHERE seq NOT IN (SELECT seq FROM inflight ORDER BY seq DESC LIMIT ${MAX_INFLIGHT})`,
      ).run();
      const last = batch.refs.samples.at(-1);
      if (last === undefined) return;
      // The batch has all dirty samples up to its last one, and nothing was written since it was chosen.
      prepared(
        this.#db,
        `UPDATE samples INDEXED BY samples_dirty SET flags = flags | ${FLAG_SENT_BEFORE}
         WHERE dirty = 1 AND flags & ${FLAG_ADOPTED} = 0 AND (minute, conn) <= (?, ?)`,
      ).run(last.minute, last.conn);
    })();
  }
}
