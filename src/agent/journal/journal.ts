import { randomUUID } from 'node:crypto';
import type { Statement } from 'better-sqlite3';
import { CodedError } from '../../common/errors.ts';
import { openStore, prepared, type Sqlite } from '../../common/sqlite.ts';
import { minuteOf } from '../../domain/bucket.ts';
import { type BookEntry, isRunning } from '../books/entry.ts';
import { type BookChanges, type BookState, emptyState } from '../books/state.ts';
import { SamplePacker, unpackSamples } from './packed-samples.ts';
import {
  type ConnectionRow,
  connectionValues,
  counterValues,
  entryOfRow,
  INSERT_CONNECTION,
  UPDATE_COUNTERS,
} from './rows.ts';
import { SampleWriter } from './sample-writer.ts';
import { FLAG_ADOPTED, JOURNAL_FILE } from './schema.ts';

export interface JournalOptions {
  path: string;
  /** As configured; without it the journal's own is kept, or one is made once. */
  agentId?: string | undefined;
}

/** How often the wide rows of connections that changed are brought up to date, in minutes. */
const WIDE_EVERY_MINUTES = 60;

/**
 * The agent's journal: one SQLite file, one writer. A flush is one transaction that holds samples, totals,
 * closes, gaps, runs and the state of the books (A1), so that after a crash all of them agree.
 */
export class Journal {
  readonly db: Sqlite;
  readonly agentId: string;
  /** Born with the journal. */
  readonly stream: string;
  /** Born with the process. */
  readonly boot: string = randomUUID();
  readonly path: string;
  /** The file was the original's: some rows go by its wire. */
  readonly adopted: boolean;
  #rev: number;
  #nextKey: number;
  #wideMinute: number;
  readonly #insertConnection: Statement;
  readonly #updateCounters: Statement;
  readonly #samples: SampleWriter;
  readonly #packer = new SamplePacker();
  readonly #putRunning: Statement;
  /** Whether the running minute is stored packed. */
  #hasRunning: boolean;
  readonly #putDirtyTotals: Statement;
  readonly #putTotals: Statement;
  readonly #putGap: Statement;
  readonly #putRun: Statement;
  readonly #setClosed: Statement;
  readonly #setReopened: Statement;
  readonly #recall: Statement;
  readonly #putMeta: Statement;

  constructor(options: JournalOptions) {
    this.path = options.path;
    this.db = openStore(options.path, JOURNAL_FILE);
    const { db } = this;
    // A quarter of the default: the pages of the running minute are all that is read again and again.
    db.pragma('cache_size = -4000');
    this.#putMeta = db.prepare(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
    this.adopted = this.meta('adopted') === '1';
    this.agentId = this.#settleAgentId(options);
    this.stream = this.meta('stream') ?? this.setMeta('stream', randomUUID());
    this.#rev = Number(this.meta('rev') ?? 0);
    this.#nextKey = Number(this.meta('next_key') ?? 1);
    this.#wideMinute = Number(this.meta('wide_minute') ?? 0);
    this.#insertConnection = db.prepare(INSERT_CONNECTION);
    this.#updateCounters = db.prepare(UPDATE_COUNTERS);
    this.#samples = new SampleWriter(db);
    this.#putRunning = db.prepare(
      'INSERT INTO running (id, minute, samples) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET minute = excluded.minute, samples = excluded.samples',
    );
    this.#hasRunning = db.prepare('SELECT 1 FROM running').get() !== undefined;
    const putTotals = (dirty: string) =>
      db.prepare(
        `INSERT INTO totals (minute, down, up, rev) VALUES (?, ?, ?, ?)
         ON CONFLICT (minute) DO UPDATE SET down = excluded.down, up = excluded.up, rev = excluded.rev ${dirty}`,
      );
    // As for samples: the row of the running minute is dirty already, and its index must not be written each time.
    this.#putDirtyTotals = putTotals('WHERE dirty = 1');
    this.#putTotals = putTotals(', dirty = 1');
    this.#putGap = db.prepare(
      `INSERT INTO gaps (id, from_ms, to_ms, reason, rev) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET from_ms = excluded.from_ms, to_ms = excluded.to_ms, reason = excluded.reason,
         rev = excluded.rev, dirty = 1`,
    );
    this.#putRun = db.prepare(
      `INSERT INTO runs (id, from_ms, version, rev) VALUES (?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET from_ms = excluded.from_ms, version = excluded.version, rev = excluded.rev, dirty = 1`,
    );
    this.#setClosed = db.prepare(
      'UPDATE connections SET closed_at = ?, close_rev = ?, close_dirty = 1 WHERE key = ?',
    );
    this.#setReopened = db.prepare(
      'UPDATE connections SET closed_at = NULL, close_rev = ?, close_dirty = 0 WHERE key = ?',
    );
    this.#recall = db.prepare(
      'SELECT * FROM connections WHERE id = ? AND agent_id = ? AND closed_at IS NOT NULL',
    );
  }

  #settleAgentId(options: JournalOptions): string {
    const kept = this.meta('agent_id');
    const given = options.agentId;
    if (kept !== undefined && given !== undefined && kept !== given && this.meta('stream') !== undefined) {
      this.db.close();
      throw new CodedError(
        'file_foreign',
        `the journal ${options.path} belongs to agent "${kept}", not "${given}": give --local-database another file, or leave out --agent-id`,
      );
    }
    const id = given ?? kept ?? randomUUID();
    // Rows taken over stay with the id they were collected under; under another one everything begins anew.
    if (kept !== undefined && id !== kept) this.db.prepare("DELETE FROM meta WHERE key = 'books'").run();
    if (id !== kept) this.setMeta('agent_id', id);
    this.db.prepare("UPDATE connections SET agent_id = ? WHERE agent_id = ''").run(id);
    return id;
  }

  meta(key: string): string | undefined {
    const row = prepared(this.db, 'SELECT value FROM meta WHERE key = ?').get(key) as
      | { value: string }
      | undefined;
    return row?.value;
  }

  setMeta(key: string, value: string): string {
    this.#putMeta.run(key, value);
    return value;
  }

  /** The revision of the newest flush; rows written now have it. */
  get rev(): number {
    return this.#rev;
  }

  /** Takes a new revision for rows written outside a flush; inside a transaction only. */
  nextRev(): number {
    this.#rev++;
    this.setMeta('rev', String(this.#rev));
    return this.#rev;
  }

  /** What the books go on from: the state of the last flush and the connections that were open then. */
  load(): { state: BookState; open: BookEntry[] } {
    const text = this.meta('books');
    const state = text === undefined ? emptyState() : (JSON.parse(text) as BookState);
    const open = new Map<number, BookEntry>();
    for (const row of this.db
      .prepare('SELECT * FROM connections WHERE closed_at IS NULL')
      .iterate() as IterableIterator<ConnectionRow>) {
      open.set(row.key, entryOfRow(row));
    }
    // The wide rows are at most an hour old; what is newer stands in the samples.
    const samples = this.db
      .prepare('SELECT conn, minute, down, up, rdown, rup FROM samples WHERE minute >= ? ORDER BY minute')
      .iterate(this.#wideMinute - 1) as IterableIterator<{
      conn: number;
      minute: number;
      down: number;
      up: number;
      rdown: number;
      rup: number;
    }>;
    for (const sample of samples) {
      const entry = open.get(sample.conn);
      if (entry === undefined) continue;
      entry.counter = {
        download: Math.max(entry.counter.download, sample.down),
        upload: Math.max(entry.counter.upload, sample.up),
      };
      entry.recovered = {
        download: Math.max(entry.recovered.download, sample.rdown),
        upload: Math.max(entry.recovered.upload, sample.rup),
      };
      entry.minute = Math.max(entry.minute, sample.minute);
    }
    this.#loadRunning(open);
    return { state, open: [...open.values()] };
  }

  /** What had no rows yet when the process ended: the books write them when they go on. */
  #loadRunning(open: ReadonlyMap<number, BookEntry>): void {
    const row = this.db.prepare('SELECT minute, samples FROM running').get() as
      | { minute: number; samples: Buffer }
      | undefined;
    if (row === undefined) return;
    for (const sample of unpackSamples(row.samples)) {
      const entry = open.get(sample.key);
      if (entry === undefined) continue;
      entry.counter = { download: sample.download, upload: sample.upload };
      entry.recovered = { download: sample.recoveredDownload, upload: sample.recoveredUpload };
      entry.minute = Math.max(entry.minute, row.minute);
      entry.unsaved = row.minute;
    }
  }

  /**
   * The newest minute that any row has; the agent's clock never goes below it. Samples taken over from the original
   * go by its wire, so ours must never fall into the same minute: they count as one more.
   */
  newestMinute(): number {
    const row = this.db
      .prepare(
        `SELECT max(coalesce((SELECT max(minute + (flags & ${FLAG_ADOPTED} > 0)) FROM samples), 0),
           coalesce((SELECT max(minute) FROM totals), 0)) AS minute`,
      )
      .get() as { minute: number };
    const state = this.meta('books');
    const lastGood = state === undefined ? null : (JSON.parse(state) as BookState).lastGood;
    return Math.max(row.minute, lastGood === null ? 0 : minuteOf(lastGood));
  }

  /** A closed connection that is still kept, for ids that a core lists again against all rules. */
  recall(id: string): BookEntry | undefined {
    const row = this.#recall.get(id, this.agentId) as ConnectionRow | undefined;
    return row === undefined ? undefined : entryOfRow(row);
  }

  /**
   * Commits what changed, in one transaction; `at` is the agent's clock. Samples of the minute `running` are stored
   * packed, and have to come again until they are rows; null: all become rows. Throws when the disk refuses: then
   * nothing happened, and the caller keeps the changes for the next flush.
   */
  flush(changes: BookChanges, at: number, running: number | null = null): void {
    const keys = new Map<BookEntry, number>();
    const before = { rev: this.#rev, nextKey: this.#nextKey, wideMinute: this.#wideMinute };
    // Also when the clock was set back: `load` looks for newer counters from that minute on.
    const wide = minuteOf(at) < this.#wideMinute || minuteOf(at) - this.#wideMinute >= WIDE_EVERY_MINUTES;
    try {
      this.db.transaction(() => {
        const rev = this.nextRev();
        this.#writeEntries(changes.entries, keys, at, rev, running);
        for (const row of changes.totals) {
          const values = [row.minute, row.download, row.upload, rev];
          if (this.#putDirtyTotals.run(values).changes === 0) this.#putTotals.run(values);
        }
        for (const gap of changes.gaps) this.#putGap.run(gap.id, gap.from, gap.to, gap.reason, rev);
        for (const run of changes.runs) this.#putRun.run(run.id, run.from, run.version, rev);
        for (const entry of changes.closed) this.#writeClosed(entry, keys, at, rev);
        if (wide) {
          for (const entry of changes.open.values()) this.#writeWide(entry, at);
          this.#wideMinute = minuteOf(at);
          this.setMeta('wide_minute', String(this.#wideMinute));
        }
        this.setMeta('next_key', String(this.#nextKey));
        this.setMeta('books', JSON.stringify(changes.state));
      })();
    } catch (error) {
      this.#rev = before.rev;
      this.#nextKey = before.nextKey;
      this.#wideMinute = before.wideMinute;
      throw error;
    }
    this.#hasRunning = running !== null && !this.#packer.empty;
    for (const [entry, key] of keys) entry.key = key;
  }

  #writeEntries(
    entries: readonly BookEntry[],
    keys: Map<BookEntry, number>,
    at: number,
    rev: number,
    running: number | null,
  ): void {
    this.#packer.begin();
    this.#samples.begin(rev);
    const ended: BookEntry[] = [];
    for (const entry of entries) {
      if (entry.older.length > 0 || !isRunning(entry, running)) ended.push(entry);
      else this.#packer.add(this.#writeConnection(entry, keys, at, rev), entry);
    }
    for (const entry of inOrderOfKeys(ended)) {
      const key = this.#writeConnection(entry, keys, at, rev);
      this.#samples.addOlder(key, entry);
      if (isRunning(entry, running)) this.#packer.add(key, entry);
      else this.#samples.addNewest(key, entry);
    }
    this.#samples.end();
    if (running !== null && !this.#packer.empty) this.#putRunning.run(running, this.#packer.end());
    else if (this.#hasRunning) this.db.exec('DELETE FROM running');
  }

  /** The row of a connection when it is new; returns its key. */
  #writeConnection(entry: BookEntry, keys: Map<BookEntry, number>, at: number, rev: number): number {
    let key = entry.key;
    if (key === 0) {
      key = this.#nextKey++;
      keys.set(entry, key);
      this.#insertConnection.run(...connectionValues(entry, this.agentId, key, at, rev));
    } else if (entry.carried.download > 0 || entry.carried.upload > 0) {
      // Nothing but the wide row has what was carried over a counter that fell.
      this.#updateCounters.run(...counterValues(entry, key, at));
    }
    return key;
  }

  /** Brings a row up to date whose newest counters stood in its samples only; `load` looks for them from now on. */
  #writeWide(entry: BookEntry, at: number): void {
    if (entry.key === 0 || entry.minute < this.#wideMinute - 1) return;
    this.#updateCounters.run(...counterValues(entry, entry.key, at));
  }

  #writeClosed(entry: BookEntry, keys: Map<BookEntry, number>, at: number, rev: number): void {
    const key = entry.key === 0 ? keys.get(entry) : entry.key;
    if (key === undefined) return;
    this.#updateCounters.run(...counterValues(entry, key, entry.closedAt ?? at));
    if (entry.closedAt === null) this.#setReopened.run(rev, key);
    else this.#setClosed.run(entry.closedAt, rev, key);
  }

  /** Bytes that the journal occupies, without pages that are free again. */
  size(): number {
    const page = this.db.pragma('page_size', { simple: true }) as number;
    const pages = this.db.pragma('page_count', { simple: true }) as number;
    const free = this.db.pragma('freelist_count', { simple: true }) as number;
    return (pages - free) * page;
  }

  close(): void {
    if (this.db.open) this.db.close();
  }
}

/** More entries than are ever open at once. */
const PLACES = 2 ** 20;

/**
 * In the order of the file, so that neighbours in it are written after one another. Sorted as numbers, natively, without
 * a call into JavaScript for each comparison.
 */
function inOrderOfKeys(entries: readonly BookEntry[]): BookEntry[] {
  const places = Float64Array.from(entries, (entry, i) => entry.key * PLACES + i).sort();
  return Array.from(places, (place) => entries[place % PLACES] as BookEntry);
}
