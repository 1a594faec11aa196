import { prepared, type Sqlite } from '../../common/sqlite.ts';
import { RECORDS_DDL, SHOWN_COLUMNS, shownOf } from './columns.ts';

/**
 * Where the rows wait that a file of the original's, or of an earlier version of ours, had in its table `connections`:
 * each goes from there into `records` (`../ingest/importer.ts`), and with the last one the table goes.
 */
export const EARLIER = 'earlier_connections';

/** In `meta`: what the number of a row without one is beyond its rowid. */
const OFFSET = 'earlier_offset';
const OFFSET_SQL = `(SELECT CAST(value AS INTEGER) FROM meta WHERE key = '${OFFSET}')`;

/** What a row that waits is, or will be, known by: numbers are laid aside for all, so that a list can be walked through. */
const EARLIER_NUMBER = `ifnull(e.num, ${OFFSET_SQL} + e.rowid)`;

/** Rowids above are of no use for numbers, which must stay whole numbers in JavaScript. */
const HIGHEST_ROWID = 2 ** 40;

/** Of files whose rows have numbers: facts refer to them. */
const NUMBERS = 'connections_num';
/** Indexes of the earlier layout that are of no use to rows that wait. */
const OLD_INDEXES = ['updated', 'start', 'agent', 'closed'].map((name) => `connections_${name}`);

export function hasEarlierRows(db: Sqlite): boolean {
  const found = prepared(
    db,
    `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '${EARLIER}'`,
  ).get();
  return found !== undefined;
}

/**
 * Puts the table `connections` of an earlier layout aside, and makes `records`, `texts` and the view `connections`, which
 * shows both. No row is touched, so it takes no longer for millions of them but to let go of indexes.
 */
export function layAside(db: Sqlite): void {
  // Or a user's own views would be rewritten to read what is put aside.
  db.pragma('legacy_alter_table = ON');
  db.exec(`ALTER TABLE connections RENAME TO ${EARLIER}`);
  db.pragma('legacy_alter_table = OFF');
  lowerRowids(db);
  reserveNumbers(db);
  for (const name of OLD_INDEXES) db.exec(`DROP INDEX IF EXISTS ${name}`);
  db.exec(RECORDS_DDL);
  const waits = db.prepare(`SELECT 1 FROM ${EARLIER} LIMIT 1`).get() !== undefined;
  if (waits) db.exec(viewOf(db));
  else dropEarlier(db);
}

/**
 * Lays a number aside for each row that has none. To be called whenever the file is opened to be written: `VACUUM` may
 * give rows other rowids, and with them numbers that are taken.
 */
export function reserveNumbers(db: Sqlite): void {
  const unnumbered = `FROM ${EARLIER} WHERE imported = 0`;
  const { first, last } = db
    .prepare(`SELECT (SELECT min(rowid) ${unnumbered}) AS first, (SELECT max(rowid) ${unnumbered}) AS last`)
    .get() as { first: number | null; last: number | null };
  const next = Number(db.prepare("SELECT value FROM meta WHERE key = 'next_num'").pluck().get());
  const offset = next - (first ?? 0);
  const put = db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)');
  put.run(OFFSET, String(offset));
  put.run('next_num', String(last === null ? next : offset + last + 1));
}

/** Once a table has had the highest of all rowids, SQLite draws others at random, and numbers would run out with them. */
function lowerRowids(db: Sqlite): void {
  const high = db.prepare(`SELECT rowid FROM ${EARLIER} WHERE rowid < 0 OR rowid > ${HIGHEST_ROWID}`);
  const highest = db.prepare(`SELECT max(rowid) FROM ${EARLIER} WHERE rowid BETWEEN 0 AND ${HIGHEST_ROWID}`);
  let next = (highest.pluck().get() as number | null) ?? 0;
  const move = db.prepare(`UPDATE ${EARLIER} SET rowid = ? WHERE rowid = ?`);
  for (const rowid of high.pluck().safeIntegers().all()) move.run(++next, rowid);
}

/** With the last row that waited. */
export function dropEarlier(db: Sqlite): void {
  db.exec(`DROP TABLE ${EARLIER}; DROP VIEW IF EXISTS connections`);
  db.prepare('DELETE FROM meta WHERE key = ?').run(OFFSET);
  db.exec(viewOf(db));
  db.exec(DELETE_BY_VIEW);
}

/** A user's own SQL may delete connections, as it could when they were a table. */
const DELETE_BY_VIEW = `CREATE TRIGGER connections_delete INSTEAD OF DELETE ON connections
BEGIN DELETE FROM records WHERE num = OLD.num; END`;

/** What shows the rows of `records`, and those that wait, to SQL that knows neither: `connections` as it always was. */
function viewOf(db: Sqlite): string {
  const recorded = `SELECT ${SHOWN_COLUMNS.map((column) => `${shownOf(column)} AS ${column}`).join(', ')} FROM records r`;
  const rows = hasEarlierRows(db)
    ? `${recorded} UNION ALL SELECT ${earlierColumns(db)} FROM ${EARLIER} e`
    : recorded;
  return `CREATE VIEW connections AS ${rows}`;
}

/** A table of the original's may have fewer columns than we know. */
function earlierColumns(db: Sqlite, columns = SHOWN_COLUMNS): string {
  const rows = prepared(db, `SELECT name FROM pragma_table_info('${EARLIER}')`).all() as { name: string }[];
  const names = new Set(rows.map(({ name }) => name));
  return columns.map((column) => (names.has(column) ? `e.${column}` : `NULL AS ${column}`)).join(', ');
}

/**
 * SQL of what is to be read of all connections, as the view shows them, and beside it `row_number`: the number of each,
 * which it keeps when it goes from one table to the other. Only while rows wait.
 */
export function allShown(db: Sqlite): string {
  const recorded = SHOWN_COLUMNS.map((column) => `${shownOf(column)} AS ${column}`).join(', ');
  return `(SELECT ${recorded}, r.num AS row_number FROM records r
    UNION ALL SELECT ${earlierColumns(db)}, ${EARLIER_NUMBER} FROM ${EARLIER} e)`;
}

/**
 * SQL of a table with the given columns of every connection that has a number, as they are stored: ids in the place of
 * texts, but the texts themselves for a row that waits.
 */
export function allStored(db: Sqlite, columns: readonly string[]): string {
  if (!hasEarlierRows(db)) return 'records';
  return `(SELECT ${columns.join(', ')} FROM records
    UNION ALL SELECT ${earlierColumns(db, columns)} FROM ${EARLIER} e WHERE e.imported IS NOT 0)`;
}

/**
 * How the record of a number is joined to rows that have one (`number`: SQL of it): what joins it, SQL of the given
 * columns as they are stored (see `allStored`), and of whether there is one.
 */
export function joinRecord(
  db: Sqlite,
  number: string,
  columns: readonly string[],
): { join: string; columns: readonly string[]; found: string } {
  const join = `LEFT JOIN records r ON r.num = ${number}`;
  if (!hasNumbered(db)) {
    return { join, columns: columns.map((column) => `r.${column}`), found: 'r.num IS NOT NULL' };
  }
  return {
    join: `${join} LEFT JOIN ${EARLIER} e ON e.num = ${number}`,
    columns: columns.map((column) => `iif(r.num IS NULL, e.${column}, r.${column})`),
    found: 'r.num IS NOT NULL OR e.num IS NOT NULL',
  };
}

/** Rows that wait have numbers, and so all our columns and the index. */
function hasNumbered(db: Sqlite): boolean {
  const sql = `SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = '${NUMBERS}'`;
  return prepared(db, sql).get() !== undefined;
}

/** A row that waits: the columns of its table by name, and `rowid`. */
export type EarlierRow = Readonly<Record<string, number | bigint | string | Buffer | null>> & {
  readonly rowid: number;
  /** 0: of the original's, and not booked yet. */
  readonly imported: number | null;
};

/** The rows that wait, for the one that writes. */
export class EarlierRows {
  readonly #db: Sqlite;
  #exists: boolean;
  #count: number | null = null;

  constructor(db: Sqlite) {
    this.#db = db;
    this.#exists = hasEarlierRows(db);
  }

  /** A transaction failed: what was moved in it waits again. */
  reset(): void {
    this.#exists = hasEarlierRows(this.#db);
    this.#count = null;
  }

  /** There is a table of them, though it may be empty. */
  get exist(): boolean {
    return this.#exists;
  }

  /** How many wait; counted once, for that reads an index from end to end. */
  get count(): number {
    if (!this.#exists) return 0;
    this.#count ??= prepared(this.#db, `SELECT count(*) FROM ${EARLIER}`).pluck().get() as number;
    return this.#count;
  }

  first(limit: number): EarlierRow[] {
    if (!this.#exists) return [];
    const sql = `SELECT rowid AS rowid, * FROM ${EARLIER} ORDER BY rowid LIMIT ?`;
    return prepared(this.#db, sql).all(limit) as EarlierRow[];
  }

  at(rowid: number): EarlierRow | undefined {
    const sql = `SELECT rowid AS rowid, * FROM ${EARLIER} WHERE rowid = ?`;
    return prepared(this.#db, sql).get(rowid) as EarlierRow | undefined;
  }

  /** The rowid of the row with this key. */
  find(id: string, agentId: string): number | undefined {
    if (!this.#exists) return undefined;
    const sql = `SELECT rowid FROM ${EARLIER} WHERE id = ? AND agent_id = ?`;
    return prepared(this.#db, sql).pluck().get(id, agentId) as number | undefined;
  }

  /** The number that was laid aside for a row. */
  numberOf(rowid: number): number {
    return prepared(this.#db, `SELECT ${OFFSET_SQL} + ?`).pluck().get(rowid) as number;
  }

  /** Takes a row away; false where it had gone already. */
  take(rowid: number): boolean {
    const { changes } = prepared(this.#db, `DELETE FROM ${EARLIER} WHERE rowid = ?`).run(rowid);
    if (this.#count !== null) this.#count -= changes;
    return changes === 1;
  }

  /** None waits any more. */
  end(): void {
    dropEarlier(this.#db);
    this.reset();
  }
}
