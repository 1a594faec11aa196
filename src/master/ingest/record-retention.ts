import { inTransaction, prepared, type Sqlite } from '../../common/sqlite.ts';
import { MINUTE_MS, minuteOf } from '../../domain/bucket.ts';
import { decoded, idText } from '../layout/columns.ts';
import type { AgentTable } from './agents.ts';
import { SKEW_MINUTES } from './batch-merge.ts';
import { LOT_ROWS } from './lots.ts';
import { HEARD_MS } from './record-table.ts';

/** Records that one step looks at, most of which it may remove: agents wait for no more than that. */
export const PRUNE_ROWS = 1000;

/** What is left of a round. */
export interface PrunePart {
  /** Records go for which nothing arrived since (epoch ms). */
  readonly before: number;
  /** Numbers of records, both exclusive: those in between may be that old. */
  readonly after: number;
  readonly until: number;
}

/** What went so far, for good. `horizon`: epoch ms, 0 while nothing did. Bytes are those booked, overlay left out. */
export interface PrunedSums {
  records: number;
  download: number;
  upload: number;
  horizon: number;
}

/** A record that went. */
export type GoneRecord = Pick<Row, 'id' | 'agent_id'>;

interface Row {
  num: number;
  id: string;
  agent_id: string;
  counted: number;
  down: number;
  up: number;
  last_bucket: number;
  closed_at: number | null;
  arrived_at: number | null;
}

/** Rows of an earlier layout have their turn when they have moved. */
const PAGE = `SELECT num, ${idText('r')} AS id, ${decoded('agent_id', 'r')} AS agent_id, counted,
    conn_download - base_down AS down, conn_upload - base_up AS up, last_bucket, closed_at, arrived_at
  FROM records r WHERE num > ? AND num < ? ORDER BY num LIMIT ${PRUNE_ROWS}`;
const REMOVE = 'DELETE FROM records WHERE num = ?';

/** What no connection moves: sums beyond it could not be shown. */
const MOST = Number.MAX_SAFE_INTEGER;

/**
 * Removes records that are closed and of which nothing arrived for the time that records are kept. Facts stay: they
 * have a retention of their own, and the books balance without any record.
 *
 * Invariants, on which "booked once" stands where a record is gone:
 *
 * - No sample of a removed record that ever arrived lies at or behind the `horizon`, which moves in the transaction of
 *   the removal; so one that is sent again is known by its minute, and refused.
 * - Whoever was silent since before that continues from no head of its own, and sends again what it sends.
 * - A record goes after all of its facts are in the fact store and need not be written there again: the rows of a lot
 *   take their dimensions from it.
 */
export class RecordRetention {
  readonly #db: Sqlite;
  readonly #agents: AgentTable;

  constructor(db: Sqlite, agents: AgentTable) {
    this.#db = db;
    this.#agents = agents;
  }

  /** Begins a round at an instant. `keepMs`: how long records are kept. */
  begin(keepMs: number, now: number): PrunePart {
    return inTransaction(this.#db, () => {
      const silentSince = now - keepMs;
      const before = Math.min(silentSince, this.#settledBefore());
      // Marks of a clock that was ahead would hold everything back until it is as late as that.
      prepared(this.#db, 'DELETE FROM record_marks WHERE at < ? OR at >= ?').run(before, now);
      prepared(
        this.#db,
        "INSERT INTO record_marks (at, num) SELECT ?, CAST(value AS INTEGER) FROM meta WHERE key = 'next_num'",
      ).run(now);
      prepared(
        this.#db,
        'DELETE FROM heads WHERE at < ? AND seq < (SELECT max(seq) FROM heads AS h WHERE h.stream = heads.stream)',
      ).run(silentSince);
      const until = prepared(this.#db, 'SELECT min(num) FROM record_marks').pluck().get() as number;
      return { before, after: 0, until };
    });
  }

  /** Removes some, in one transaction with all that is said of it; `next` is null when the round is done. */
  step({ before, after, until }: PrunePart): { gone: GoneRecord[]; next: PrunePart | null } {
    return inTransaction(this.#db, () => {
      const page = prepared(this.#db, PAGE).all(after, until) as Row[];
      const old = page.filter(
        ({ closed_at, arrived_at }) => closed_at !== null && arrived_at !== null && arrived_at < before,
      );
      if (old.length > 0) this.#remove(old);
      const last = page.at(-1);
      const done = last === undefined || page.length < PRUNE_ROWS;
      return { gone: old, next: done ? null : { before, after: last.num, until } };
    });
  }

  sums(): PrunedSums {
    const row = prepared(
      this.#db,
      `SELECT records, down AS download, up AS upload,
         (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'horizon') AS horizon FROM pruned`,
    ).get();
    return row as PrunedSums;
  }

  #remove(old: readonly Row[]): void {
    const remove = prepared(this.#db, REMOVE);
    const removeBases = prepared(this.#db, 'DELETE FROM bases WHERE conn = ?');
    let newest = 0;
    const sums = { down: 0, up: 0 };
    const fewer = new Map<string, number>();
    for (const { num, agent_id, counted, down, up, last_bucket, arrived_at } of old) {
      remove.run(num);
      removeBases.run(num);
      newest = Math.max(newest, arrived_at ?? 0);
      sums.down += counted === 1 ? down : 0;
      sums.up += counted === 1 ? up : 0;
      // Rows of the original's that were refused have no fact, and were never counted.
      if (last_bucket > 0) fewer.set(agent_id, (fewer.get(agent_id) ?? 0) - 1);
    }
    this.#agents.addRecords(fewer);
    const horizon = (minuteOf(newest + HEARD_MS) + SKEW_MINUTES + 1) * MINUTE_MS;
    prepared(
      this.#db,
      "UPDATE meta SET value = CAST(max(CAST(value AS INTEGER), ?) AS TEXT) WHERE key = 'horizon'",
    ).run(horizon);
    prepared(
      this.#db,
      `UPDATE pruned SET records = records + ?, down = min(down + ?, ${MOST}), up = min(up + ?, ${MOST})`,
    ).run(old.length, Math.min(sums.down, MOST), Math.min(sums.up, MOST));
  }

  /**
   * Everything that arrived before is in lots of which no row is kept. A lot that is not full took all that waited, so
   * rows of later lots arrived after it was sealed.
   */
  #settledBefore(): number {
    const kept = prepared(this.#db, 'SELECT min(lot) FROM pending_facts').pluck().get() as number | null;
    const waits = prepared(this.#db, 'SELECT 1 FROM pending_facts WHERE lot IS NULL LIMIT 1').get();
    if (kept === null && waits === undefined) return Number.POSITIVE_INFINITY;
    const sealed = prepared(
      this.#db,
      `SELECT sealed_at FROM lots WHERE lot < ? AND rows < ${LOT_ROWS} ORDER BY lot DESC LIMIT 1`,
    )
      .pluck()
      .get(kept ?? MOST);
    return (sealed as number | undefined) ?? 0;
  }
}
