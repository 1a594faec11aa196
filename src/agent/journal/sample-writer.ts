import type { Statement } from 'better-sqlite3';
import type { Sqlite } from '../../common/sqlite.ts';
import type { BookEntry } from '../books/entry.ts';

/** Rows of one statement: the call into SQLite and its answer cost as much as a row. */
const ROWS = 64;
const WIDTH = 7;

const put = (rows: number, dirty: string) =>
  `INSERT INTO samples (down, up, rdown, rup, rev, minute, conn)
   VALUES ${new Array(rows).fill('(?, ?, ?, ?, ?, ?, ?)').join(', ')}
   ON CONFLICT (minute, conn) DO UPDATE SET down = excluded.down, up = excluded.up, rdown = excluded.rdown,
     rup = excluded.rup, rev = excluded.rev ${dirty}`;

/**
 * Writes the samples of a flush: at 10,000 changing connections the agent's largest work. Nearly all of them overwrite
 * a row that is dirty already; a statement that does not name `dirty` leaves the index of dirty rows alone. Rows
 * that were acknowledged meanwhile are left out by it, which its count of changes tells, and are then written one by one.
 */
export class SampleWriter {
  readonly #many: Statement;
  readonly #one: Statement;
  readonly #values: number[] = new Array(ROWS * WIDTH).fill(0);
  #rows = 0;

  constructor(db: Sqlite) {
    this.#many = db.prepare(put(ROWS, 'WHERE dirty = 1'));
    this.#one = db.prepare(put(1, ', dirty = 1'));
  }

  /** Inside a transaction; what was added before one that failed is forgotten. */
  begin(): void {
    this.#rows = 0;
  }

  /** All samples of the entry that are not committed, in their order. */
  addAll(key: number, entry: BookEntry, rev: number): void {
    const { unsaved, older, counter, recovered } = entry;
    if (unsaved === null) return;
    for (const { minute, download, upload, recoveredDownload, recoveredUpload } of older) {
      this.#add(key, rev, minute, download, upload, recoveredDownload, recoveredUpload);
    }
    this.#add(key, rev, unsaved, counter.download, counter.upload, recovered.download, recovered.upload);
  }

  #add(
    key: number,
    rev: number,
    minute: number,
    download: number,
    upload: number,
    recoveredDownload: number,
    recoveredUpload: number,
  ): void {
    const values = this.#values;
    let at = this.#rows * WIDTH;
    values[at++] = download;
    values[at++] = upload;
    values[at++] = recoveredDownload;
    values[at++] = recoveredUpload;
    values[at++] = rev;
    values[at++] = minute;
    values[at] = key;
    if (++this.#rows < ROWS) return;
    if (this.#many.run(values).changes < ROWS) this.#oneByOne();
    this.#rows = 0;
  }

  end(): void {
    this.#oneByOne();
    this.#rows = 0;
  }

  #oneByOne(): void {
    for (let row = 0; row < this.#rows; row++) {
      this.#one.run(this.#values.slice(row * WIDTH, (row + 1) * WIDTH));
    }
  }
}
