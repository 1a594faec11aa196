import type { Statement } from 'better-sqlite3';
import type { Sqlite } from '../../common/sqlite.ts';
import type { Bytes } from '../../domain/connection.ts';
import type { RecordState } from './record.ts';

/** What the totals of one journal cover of a connection: its bytes from `base` up to `to`. */
export interface Cover {
  stream: number;
  /** What it had moved before that journal watched it. */
  base: Bytes;
  /** Highest counter that was taken off the journal's totals; its base while there was none. */
  to: Bytes;
  /** Whether the file says "up to the record's counter"; null while the file does not have this base. */
  follows: boolean | null;
  /** `to` is another than in the file. */
  moved: boolean;
}

interface Row {
  stream: number;
  down: number;
  up: number;
  covered_down: number | null;
  covered_up: number | null;
}

export function newCover(stream: number, base: Bytes): Cover {
  return { stream, base, to: { ...base }, follows: null, moved: false };
}

/**
 * Keeps the covers of records in `bases`. Where one journal alone tells of a connection, its cover ends at the record's
 * counter and moves with it: the file says so with NULL, and a sample writes nothing here. Once another source raises
 * the counter, the end is written out; so covers must be in memory before a counter changes.
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
      to: {
        download: row.covered_down ?? record.counter.download,
        upload: row.covered_up ?? record.counter.upload,
      },
      follows: row.covered_down === null,
      moved: false,
    }));
    return record.covers;
  }

  /** Writes those that the file does not say already. */
  write(record: RecordState): void {
    if (record.covers === null) return;
    const { counter } = record;
    for (const cover of record.covers) {
      const { stream, base, to } = cover;
      const follows = to.download === counter.download && to.upload === counter.upload;
      if (follows === cover.follows && (follows || !cover.moved)) continue;
      this.#put.run(
        ...[record.num, stream, base.download, base.upload],
        ...(follows ? [null, null] : [to.download, to.upload]),
      );
      cover.follows = follows;
      cover.moved = false;
    }
  }
}
