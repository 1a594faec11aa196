import type { Statement } from 'better-sqlite3';
import type { Sqlite } from '../../common/sqlite.ts';
import type { BookEntry } from '../books/entry.ts';

/** Rows of one statement: the call into SQLite and its answer cost as much as a row. */
const ROWS = 128;
/** Parameters of a row; what all rows of a statement share is bound once, by name. */
const WIDTH = 3;

const put = (rows: readonly string[], dirty: string) =>
  `INSERT INTO samples (down, up, conn, minute, rev, rdown, rup) VALUES ${rows.join(', ')}
   ON CONFLICT (minute, conn) DO UPDATE SET down = excluded.down, up = excluded.up, rdown = excluded.rdown,
     rup = excluded.rup, rev = excluded.rev ${dirty}`;

/**
 * Writes samples as rows: those of minutes that ended, and all of them before a sync that shows the running minute. Then
 * many overwrite a row that is dirty already; a statement that does not name `dirty` leaves the index of dirty rows
 * alone. Rows that were acknowledged meanwhile are left out by it, which its count of changes tells, and are then written
 * one by one.
 *
 * Most are of one minute and have nothing recovered: those go with three parameters each instead of seven (10,000 rows
 * 9 ms instead of 12).
 */
export class SampleWriter {
  readonly #many: Statement;
  readonly #one: Statement;
  readonly #values: number[] = new Array(ROWS * WIDTH).fill(0);
  readonly #shared = { minute: 0, rev: 0 };
  #rows = 0;

  constructor(db: Sqlite) {
    this.#many = db.prepare(put(new Array(ROWS).fill('(?, ?, ?, @minute, @rev, 0, 0)'), 'WHERE dirty = 1'));
    this.#one = db.prepare(put(['(?, ?, ?, ?, ?, ?, ?)'], ', dirty = 1'));
  }

  /** Inside a transaction; what was added before one that failed is forgotten. */
  begin(rev: number): void {
    this.#rows = 0;
    this.#shared.rev = rev;
  }

  /** Those of minutes before the newest. */
  addOlder(key: number, { older }: BookEntry): void {
    const { rev } = this.#shared;
    for (const { minute, download, upload, recoveredDownload, recoveredUpload } of older) {
      this.#one.run(download, upload, key, minute, rev, recoveredDownload, recoveredUpload);
    }
  }

  /** The newest one: the counters. */
  addNewest(key: number, { unsaved, counter, recovered }: BookEntry): void {
    if (unsaved === null) return;
    if (recovered.download === 0 && recovered.upload === 0) {
      this.#add(key, unsaved, counter.download, counter.upload);
    } else {
      const { download, upload } = counter;
      this.#one.run(download, upload, key, unsaved, this.#shared.rev, recovered.download, recovered.upload);
    }
  }

  #add(key: number, minute: number, download: number, upload: number): void {
    if (minute !== this.#shared.minute) {
      this.end();
      this.#shared.minute = minute;
    }
    const values = this.#values;
    const at = this.#rows * WIDTH;
    values[at] = download;
    values[at + 1] = upload;
    values[at + 2] = key;
    if (++this.#rows < ROWS) return;
    if (this.#many.run(values, this.#shared).changes < ROWS) this.#oneByOne();
    this.#rows = 0;
  }

  end(): void {
    this.#oneByOne();
    this.#rows = 0;
  }

  #oneByOne(): void {
    const { minute, rev } = this.#shared;
    for (let at = 0; at < this.#rows * WIDTH; at += WIDTH) {
      const [download, upload, key] = this.#values.slice(at, at + WIDTH);
      this.#one.run(download, upload, key, minute, rev, 0, 0);
    }
  }
}
