import { randomBytes } from 'node:crypto';
import { inTransaction, prepared, type Sqlite, safeSum } from '../../common/sqlite.ts';
import { joinRecord } from '../layout/earlier-rows.ts';
import type { LedgerLot } from '../store/lot-source.ts';
import type { Fact, Lot } from '../store/store.ts';
import { FactTexts, FIELD_COLUMNS } from './fact-fields.ts';
import { type FactRow, NUMBERS, type PackedFacts, packFacts, unpackFacts } from './packed-facts.ts';

/** Most rows of a lot: one transaction of the fact store, and the pause it makes. */
export const LOT_ROWS = 10_000;

/** Bounds of what is kept of flushed lots, so that a fact store restored from a backup can be brought up to date. */
const KEEP_MS = 2 * 86_400_000;
const KEEP_BYTES = 512 * 1024 * 1024;
/** What a pending fact occupies, roughly, index included; for the bound above. */
export const FACT_BYTES = 90;

/** Where `meta` keeps the mark of the newest backup. */
const BACKUP_LOT = 'backup_lot';
const BACKUP_AT = 'backup_at';

export interface BackupMark {
  lot: number;
  /** Epoch ms. */
  at: number;
}

export interface Forgotten {
  /** Lots whose rows were dropped now. */
  lots: number;
  /** How many of them are in no backup. */
  withoutBackup: number;
  /** There are others that need not be kept. */
  more: boolean;
}

interface LotRow {
  lot: number;
  token: string;
  first_bucket: number;
  last_bucket: number;
  rows: number;
  down: number;
  up: number;
  sealed_at: number;
  state: 'sealed' | 'flushed' | 'dropped';
}

/** In the order of NUMBERS. A page is cut out before records are joined, or what is skipped would be joined too. */
function factRows(db: Sqlite): string {
  const { join, columns, found } = joinRecord(db, 'p.record', FIELD_COLUMNS);
  return `SELECT p.conn, p.kind, p.bucket, p.prev, p.recovered, p.down, p.up, p.conns, ${found}, p.agent_id,
      ${columns.join(', ')}
    FROM (SELECT *, nullif(conn, 0) AS record FROM pending_facts WHERE lot = ? ORDER BY seq LIMIT ? OFFSET ?) AS p
      ${join}
    ORDER BY p.seq`;
}

function lotOf(row: LotRow): LedgerLot {
  return {
    lot: row.lot,
    token: row.token,
    rows: row.rows,
    firstBucket: row.first_bucket,
    lastBucket: row.last_bucket,
    download: row.down,
    upload: row.up,
    sealedAt: row.sealed_at,
    kept: row.state !== 'dropped',
  };
}

/** Lots on the records' side: sealing, reading, and forgetting. One line for each lot is kept for good. */
export class Lots {
  readonly #db: Sqlite;
  readonly #texts: FactTexts;

  constructor(db: Sqlite) {
    this.#db = db;
    this.#texts = new FactTexts(db, [...NUMBERS, 'agent', ...FIELD_COLUMNS]);
  }

  storeId(): string {
    const row = this.#db.prepare("SELECT value FROM meta WHERE key = 'store_id'").get() as { value: string };
    return row.value;
  }

  /** Rows merged and not sealed yet. */
  unsealed(): number {
    const row = this.#db.prepare('SELECT count(*) AS n FROM pending_facts WHERE lot IS NULL').get() as {
      n: number;
    };
    return row.n;
  }

  /** Seals at most one lot; each in a transaction of its own. Returns its rows, 0 when nothing waited. */
  sealOne(now: number): number {
    return inTransaction(this.#db, () => {
      const lot = (
        this.#db.prepare('SELECT coalesce(max(lot), 0) + 1 AS lot FROM lots').get() as { lot: number }
      ).lot;
      const sealed = this.#db
        .prepare(
          `UPDATE pending_facts SET lot = ? WHERE seq IN (
             SELECT seq FROM pending_facts WHERE lot IS NULL ORDER BY seq LIMIT ${LOT_ROWS})`,
        )
        .run(lot).changes;
      if (sealed === 0) return 0;
      this.#db
        .prepare(
          `INSERT INTO lots (lot, token, first_bucket, last_bucket, rows, down, up, sealed_at)
           SELECT ?, ?, min(bucket), max(bucket), count(*), ${safeSum('down')}, ${safeSum('up')}, ?
           FROM pending_facts WHERE lot = ?`,
        )
        .run(lot, randomBytes(8).toString('hex'), now, lot);
      return sealed;
    });
  }

  /** Rows sealed and not flushed. */
  waiting(): number {
    const row = this.#db.prepare("SELECT coalesce(sum(rows), 0) AS n FROM lots WHERE state = 'sealed'").get();
    return (row as { n: number }).n;
  }

  /** Sealed lots, oldest first, at most 100. */
  sealed(): Lot[] {
    const rows = this.#db
      .prepare("SELECT * FROM lots WHERE state = 'sealed' ORDER BY lot LIMIT 100")
      .all() as LotRow[];
    return rows.map(lotOf);
  }

  /** Lots below a number, newest first. */
  lots(limit: number, below: number): LedgerLot[] {
    const rows = this.#db
      .prepare('SELECT * FROM lots WHERE lot < ? ORDER BY lot DESC LIMIT ?')
      .all(Math.min(below, Number.MAX_SAFE_INTEGER), limit) as LotRow[];
    return rows.map(lotOf);
  }

  /** Lots above `after` up to `lot`, oldest first, at most `limit`. */
  upTo(lot: number, after: number, limit: number): Lot[] {
    const rows = prepared(this.#db, 'SELECT * FROM lots WHERE lot > ? AND lot <= ? ORDER BY lot LIMIT ?').all(
      after,
      lot,
      limit,
    ) as LotRow[];
    return rows.map(lotOf);
  }

  rows(lot: number, offset: number, limit: number): Fact[] {
    return unpackFacts(this.packedRows(lot, offset, limit));
  }

  /** The same, for the way to another thread. */
  packedRows(lot: number, offset: number, limit: number): PackedFacts {
    const rows = prepared(this.#db, factRows(this.#db)).raw().all(lot, limit, offset) as FactRow[];
    return packFacts(rows.map((row) => this.#texts.into(row)));
  }

  flushed(lot: number): void {
    this.#db.prepare("UPDATE lots SET state = 'flushed' WHERE lot = ? AND state = 'sealed'").run(lot);
  }

  /** All facts up to this lot are in a backup that was read back. */
  backedUp({ lot, at }: BackupMark): void {
    const put = this.#db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)');
    inTransaction(this.#db, () => {
      put.run(BACKUP_LOT, String(lot));
      put.run(BACKUP_AT, String(at));
    });
  }

  /** The newest lot that a backup has, and when that was made (epoch ms); zeros without one. */
  backup(): BackupMark {
    const get = this.#db.prepare('SELECT value FROM meta WHERE key = ?').pluck();
    return { lot: Number(get.get(BACKUP_LOT) ?? 0), at: Number(get.get(BACKUP_AT) ?? 0) };
  }

  /**
   * Drops the rows of the oldest flushed lots that need not be kept any longer: those that a backup has, and, whether
   * or not one has them, those older than two days or beyond the space for them. Some at a time, for agents are waiting.
   */
  forgetSome(now: number): Forgotten {
    const kept = this.#db
      .prepare("SELECT lot, rows, sealed_at FROM lots WHERE state = 'flushed' ORDER BY lot DESC")
      .all() as { lot: number; rows: number; sealed_at: number }[];
    const backup = this.backup().lot;
    let bytes = 0;
    const old = kept.filter((row) => {
      bytes += row.rows * FACT_BYTES;
      return row.lot <= backup || now - row.sealed_at > KEEP_MS || bytes > KEEP_BYTES;
    });
    const forgotten: Forgotten = { lots: 0, withoutBackup: 0, more: false };
    const drop = this.#db.prepare('DELETE FROM pending_facts WHERE lot = ?');
    const mark = this.#db.prepare("UPDATE lots SET state = 'dropped' WHERE lot = ?");
    inTransaction(this.#db, () => {
      let rows = 0;
      for (const row of old.reverse()) {
        forgotten.more = rows >= LOT_ROWS;
        if (forgotten.more) break;
        rows += row.rows;
        drop.run(row.lot);
        mark.run(row.lot);
        forgotten.lots++;
        if (row.lot > backup) forgotten.withoutBackup++;
      }
    });
    return forgotten;
  }
}
