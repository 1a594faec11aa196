import type { Statement } from 'better-sqlite3';
import type { Sqlite } from '../../common/sqlite.ts';
import type { Bytes } from '../../domain/connection.ts';
import type { RecordState } from './record.ts';

/** What the totals of one journal cover of a connection: its bytes from `base` up to `to`. */
export interface Cover {
  stream: number;
  /** What it had moved before that journal watched it. */
  base: Bytes;
  /**
   * Highest counter that was taken off the journal's totals; its base while there was none. It is the record's own
   * `counter`, and moves with it, while no other source raises that.
   */
  to: Bytes;
  /** The file says something else. */
  changed: boolean;
}

interface Row {
  stream: number;
  down: number;
  up: number;
  covered_down: number | null;
  covered_up: number | null;
}

/**
 * Keeps the covers of records in `bases`. Where one journal alone tells of a connection, its cover ends at the record's
 * counter: the file says so with NULL, and a sample writes nothing here. Once another source raises the counter, the end
 * is written out; so covers must be in memory before a counter changes.
 */
export class Covers {
  readonly #all: Statement;
  readonly #put: Statement;

  constructor(db: Sqlite) {
    this.#all = db.prepare('SELECT stream, down, up, covered_down, covered_up FROM bases WHERE conn = ?');
    this.#put = db.prepare(
      'INSERT OR REPLACE INTO bases (conn, stream, down, up, covered_down, covered_up) VALUES (?, ?, ?, ?, ?, ?)',
    );
  }

  /** All covers of a record, as of its counter now. */
  of(record: RecordState): Cover[] {
    record.covers ??= (this.#all.all(record.num) as Row[]).map((row) => ({
      stream: row.stream,
      base: { download: row.down, upload: row.up },
      to:
        row.covered_down === null || row.covered_up === null
          ? record.counter
          : { download: row.covered_down, upload: row.covered_up },
      changed: false,
    }));
    return record.covers;
  }

  /** That of one journal, or undefined. */
  find(record: RecordState, stream: number): Cover | undefined {
    const covers = record.covers ?? this.of(record);
    const first = covers[0];
    return first?.stream === stream ? first : covers.find((cover) => cover.stream === stream);
  }

  /** A journal says what its base is. */
  base(record: RecordState, stream: number, base: Bytes): void {
    const known = this.find(record, stream);
    if (known === undefined) {
      const cover = { stream, base, to: base, changed: true };
      // Not pushed: an array that grows takes room for seventeen, and nearly all records have one.
      record.covers = [...this.of(record), cover];
      join(record, cover);
    } else if (known.base.download !== base.download || known.base.upload !== base.upload) {
      known.base = base;
      known.changed = true;
    } else {
      return;
    }
    record.coversChanged = true;
  }

  /** Writes those that changed. */
  write(record: RecordState): void {
    if (!record.coversChanged) return;
    record.coversChanged = false;
    for (const cover of record.covers ?? []) {
      if (!cover.changed) continue;
      const { stream, base, to } = cover;
      const follows = to === record.counter;
      const { download, upload } = base;
      this.#put.run(
        record.num,
        stream,
        download,
        upload,
        follows ? null : to.download,
        follows ? null : to.upload,
      );
      cover.changed = false;
    }
  }
}

/** Before a record's counter rises by a sample of `source` (null: one without totals): what it does not cover stays. */
export function leave(record: RecordState, source: Cover | null): void {
  if (record.covers === null) return;
  for (const cover of record.covers) {
    if (cover === source || cover.to !== record.counter) continue;
    cover.to = { ...record.counter };
    cover.changed = true;
    record.coversChanged = true;
  }
}

/** After a sample was merged: its journal covers all up to it. */
export function reach(record: RecordState, cover: Cover, sample: Bytes): void {
  const { base, to } = cover;
  if (to === record.counter) return;
  if (
    sample.download <= Math.max(to.download, base.download) &&
    sample.upload <= Math.max(to.upload, base.upload)
  ) {
    return;
  }
  cover.to = {
    download: Math.max(to.download, base.download, sample.download),
    upload: Math.max(to.upload, base.upload, sample.upload),
  };
  cover.changed = true;
  record.coversChanged = true;
  join(record, cover);
}

/** A cover that ends at the record's counter moves with it from now on. */
function join(record: RecordState, cover: Cover): void {
  const { counter } = record;
  if (cover.to.download === counter.download && cover.to.upload === counter.upload) cover.to = counter;
}
