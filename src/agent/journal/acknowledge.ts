import { prepared, type Sqlite } from '../../common/sqlite.ts';
import { FLAG_AGAIN, FLAG_SENT_BEFORE, ROW_ORDER } from '../../protocol/constants.ts';
import type { SyncAnswer } from '../../protocol/v2.ts';
import type { Journal } from './journal.ts';
import type { Batch, SampleRow } from './outbox.ts';
import { FLAG_ADOPTED } from './schema.ts';

/** Refused rows that are kept for people to see; older ones go. */
const QUARANTINE_ROWS = 1000;

/** Where the refs of each array stand: table, key column, and the columns that say what was acknowledged. */
const ACKNOWLEDGED = {
  connections: { table: 'connections', key: 'key', dirty: 'dirty', ord: 'ord', rev: 'rev' },
  closed: { table: 'connections', key: 'key', dirty: 'close_dirty', ord: 'close_ord', rev: 'close_rev' },
  totals: { table: 'totals', key: 'minute', dirty: 'dirty', ord: 'ord', rev: 'rev' },
  gaps: { table: 'gaps', key: 'id', dirty: 'dirty', ord: 'ord', rev: 'rev' },
  runs: { table: 'runs', key: 'id', dirty: 'dirty', ord: 'ord', rev: 'rev' },
  lost: { table: 'lost', key: 'id', dirty: 'dirty', ord: 'ord', rev: 'rev' },
} as const;

/** Takes in the master's answers. Each method is one transaction. */
export class Acknowledger {
  readonly #journal: Journal;
  readonly #db: Sqlite;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#db = journal.db;
  }

  /** The batch was merged: its rows are acknowledged where they still have the revision that was sent. */
  ok(batch: Batch, answer: SyncAnswer, at: number): void {
    const others = batch.inflight.length > 0;
    const again = answer.head_before !== batch.prev ? FLAG_AGAIN : 0;
    this.#db.transaction(() => {
      const ord = this.#nextOrdinal();
      prepared(this.#db, 'INSERT INTO batches (ord, batch, at) VALUES (?, ?, ?)').run(ord, batch.id, at);
      this.#journal.setMeta('prev', batch.id);
      prepared(this.#db, 'DELETE FROM inflight').run();

      if (again === 0) this.#acknowledgeRange(batch, ord);
      else this.#acknowledgeEach(batch, ord, again);
      // Marks outside this batch: only batches that were sent before it and never answered can have left any.
      if (others) this.#clearMarks(again);
      this.#acknowledgeRows(batch, ord);
      for (const [array, index, code] of answer.rejected) {
        const sample = array === 'samples' ? batch.refs.samples[index] : undefined;
        if (sample !== undefined && code === 'too-old') this.#introduceAgain(sample.conn);
        if (sample !== undefined && code === 'unknown-connection' && this.#tellsAgain(sample)) continue;
        this.quarantine(array, code, batch.rows[array]?.[index], batch.strings, at);
      }
    })();
  }

  /**
   * A master makes a record with the first sample that it takes, and forgets the row that came with one that it refused:
   * the row has to go along with the connection's next sample. A connection whose close was taken has none.
   */
  #introduceAgain(conn: number): boolean {
    const { changes } = prepared(
      this.#db,
      'UPDATE connections SET dirty = 1 WHERE key = ? AND (closed_at IS NULL OR close_dirty = 1)',
    ).run(conn);
    return changes > 0;
  }

  /**
   * The master knows nothing of a connection whose row it was told, so it goes again with the refused sample, which has
   * what its flags say: one that may be booked already is too old then. Not where the row was with it, for it would be
   * refused for good. Journals of earlier versions have such connections: their row counted as taken with a sample too old.
   */
  #tellsAgain({ conn, minute, rev, news }: SampleRow): boolean {
    if (news === 1 || !this.#introduceAgain(conn)) return false;
    prepared(this.#db, 'UPDATE samples SET dirty = 1 WHERE minute = ? AND conn = ? AND rev = ?').run(
      minute,
      conn,
      rev,
    );
    return true;
  }

  /** A batch has all dirty samples up to its last one: one statement instead of one for each of thousands. */
  #acknowledgeRange(batch: Batch, ord: number): void {
    const last = batch.refs.samples.at(-1);
    if (last === undefined) return;
    const range = `WHERE dirty = 1 AND flags & ${FLAG_ADOPTED} = 0 AND (minute, conn) <= (?, ?)`;
    prepared(
      this.#db,
      `UPDATE samples INDEXED BY samples_dirty SET dirty = 0, ord = ?, flags = flags & ~${FLAG_SENT_BEFORE} ${range} AND rev <= ?`,
    ).run(ord, last.minute, last.conn, batch.rev);
    // What changed while the batch was on its way has to go again, but is not in doubt.
    prepared(
      this.#db,
      `UPDATE samples INDEXED BY samples_dirty SET flags = flags & ~${FLAG_SENT_BEFORE} ${range} AND flags & ${FLAG_SENT_BEFORE}`,
    ).run(last.minute, last.conn);
  }

  #acknowledgeEach(batch: Batch, ord: number, again: number): void {
    const acknowledge = prepared(
      this.#db,
      `UPDATE samples SET flags = (flags & ~${FLAG_SENT_BEFORE}) | ?,
         dirty = CASE WHEN rev = ? THEN 0 ELSE dirty END, ord = CASE WHEN rev = ? THEN ? ELSE ord END
       WHERE minute = ? AND conn = ?`,
    );
    for (const { minute, conn, rev, flags } of batch.refs.samples) {
      acknowledge.run(flags & FLAG_SENT_BEFORE ? again : 0, rev, rev, ord, minute, conn);
    }
  }

  /**
   * Nothing was merged: the master's state is another than this journal thought. Everything that was acknowledged
   * after `headBefore` is sent again, all of it when the journal does not know that head.
   */
  notOk(batch: Batch, headBefore: string | null): void {
    this.#db.transaction(() => {
      const known =
        headBefore === null
          ? undefined
          : (prepared(this.#db, 'SELECT ord FROM batches WHERE batch = ?').get(headBefore) as
              | { ord: number }
              | undefined);
      const after = known === undefined ? -1 : known.ord;
      const moved = headBefore !== batch.prev;
      prepared(this.#db, 'DELETE FROM inflight').run();
      if (known === undefined) {
        prepared(
          this.#db,
          `UPDATE samples SET dirty = 1, flags = (flags | ${FLAG_AGAIN}) & ~${FLAG_SENT_BEFORE}`,
        ).run();
      } else {
        prepared(
          this.#db,
          `UPDATE samples SET dirty = 1, flags = (flags | ${FLAG_AGAIN}) & ~${FLAG_SENT_BEFORE} WHERE dirty = 0 AND ord > ?`,
        ).run(after);
        this.#clearMarks(moved ? FLAG_AGAIN : 0);
      }
      for (const spec of Object.values(ACKNOWLEDGED)) {
        const closing = spec.dirty === 'close_dirty' ? 'AND closed_at IS NOT NULL' : '';
        prepared(
          this.#db,
          `UPDATE ${spec.table} SET ${spec.dirty} = 1 WHERE ${spec.dirty} = 0 AND ${spec.ord} > ? ${closing}`,
        ).run(after);
      }
      this.#reportForgotten(after);
      prepared(this.#db, 'DELETE FROM batches WHERE ord > ?').run(after);
      if (headBefore === null) {
        prepared(this.#db, "DELETE FROM meta WHERE key = 'prev'").run();
      } else {
        this.#journal.setMeta('prev', headBefore);
        if (known === undefined) {
          prepared(this.#db, 'INSERT INTO batches (ord, batch, at) VALUES (?, ?, 0)').run(
            this.#nextOrdinal(),
            headBefore,
          );
        }
      }
    })();
  }

  /** What was acknowledged and deleted, and the master may have lost: said as lost, "at most". */
  #reportForgotten(after: number): void {
    const rows = prepared(this.#db, 'SELECT * FROM pruned WHERE ord > ? AND reported = 0').all(after) as {
      day: number;
      from_ms: number;
      to_ms: number;
      down: number;
      up: number;
      connections: number;
    }[];
    const put = prepared(
      this.#db,
      `INSERT INTO lost (from_ms, to_ms, down, up, connections, reason, rev) VALUES (?, ?, ?, ?, ?, 'forgotten-by-master', ?)`,
    );
    for (const row of rows) {
      put.run(row.from_ms, row.to_ms, row.down, row.up, row.connections, this.#journal.nextRev());
      prepared(this.#db, 'UPDATE pruned SET reported = 1 WHERE day = ?').run(row.day);
    }
  }

  #clearMarks(again: number): void {
    prepared(
      this.#db,
      `UPDATE samples SET flags = (flags & ~${FLAG_SENT_BEFORE}) | ? WHERE dirty = 1 AND flags & ${FLAG_SENT_BEFORE}`,
    ).run(again);
  }

  /** Ordinals only grow, over deleted batches too: rows keep theirs. */
  #nextOrdinal(): number {
    const ord = Number(this.#journal.meta('ord') ?? 0) + 1;
    this.#journal.setMeta('ord', String(ord));
    return ord;
  }

  /** Keeps a refused row, with its strings in the clear, where people can see it. Bounded. */
  quarantine(what: string, code: string, row: unknown, strings: readonly string[], at: number): void {
    const text = JSON.stringify({ row, id: Array.isArray(row) ? strings[Number(row[0])] : undefined }) ?? '';
    prepared(this.#db, 'INSERT INTO quarantine (at, what, code, row) VALUES (?, ?, ?, ?)').run(
      at,
      what,
      code,
      text.slice(0, 4000),
    );
    prepared(
      this.#db,
      `DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ${QUARANTINE_ROWS}`,
    ).run();
    const count = Number(this.#journal.meta('quarantined') ?? 0) + 1;
    this.#journal.setMeta('quarantined', String(count));
  }

  /**
   * A batch of a single record that the master cannot take at all: quarantined, so that the rest goes on. The
   * head does not move, for nothing was merged.
   */
  giveUp(batch: Batch, at: number): void {
    this.#db.transaction(() => {
      const drop = prepared(
        this.#db,
        `UPDATE samples SET dirty = 0, flags = flags & ~${FLAG_SENT_BEFORE} WHERE minute = ? AND conn = ? AND rev = ?`,
      );
      for (const { minute, conn, rev } of batch.refs.samples) drop.run(minute, conn, rev);
      this.#acknowledgeRows(batch, 0);
      for (const array of ROW_ORDER) {
        for (const row of batch.rows[array]) this.quarantine(array, 'malformed', row, batch.strings, at);
      }
    })();
  }

  #acknowledgeRows(batch: Batch, ord: number): void {
    for (const [name, spec] of Object.entries(ACKNOWLEDGED)) {
      const statement = prepared(
        this.#db,
        `UPDATE ${spec.table} SET ${spec.dirty} = 0, ${spec.ord} = ? WHERE ${spec.key} = ? AND ${spec.rev} = ?`,
      );
      for (const [key, rev] of batch.refs[name as keyof typeof ACKNOWLEDGED]) statement.run(ord, key, rev);
    }
  }

  /**
   * The original's wire took these records. They count as acknowledged between two batches of v2: a master that
   * falls back to the batch before gets them again.
   */
  okV1(
    samples: readonly (readonly [minute: number, conn: number, rev: number])[],
    which: 'adopted' | 'fallback',
  ): void {
    this.#db.transaction(() => {
      const ord = Number(this.#journal.meta('ord') ?? 0) + 1;
      const statement = prepared(
        this.#db,
        'UPDATE samples SET dirty = 0, ord = ? WHERE minute = ? AND conn = ? AND rev = ?',
      );
      // Of a connection that was collected under another id nothing else will ever be sent.
      const foreign = prepared(
        this.#db,
        'UPDATE connections SET dirty = 0, ord = ?, close_dirty = 0, close_ord = ? WHERE key = ? AND agent_id <> ?',
      );
      for (const [minute, conn, rev] of samples) {
        statement.run(ord, minute, conn, rev);
        if (which === 'adopted') foreign.run(ord, ord, conn, this.#journal.agentId);
      }
      if (which === 'fallback') this.#journal.setMeta('v1_used', '1');
    })();
  }

  /** Whether a master took records by the original's wire since it last understood v2. */
  usedV1(): boolean {
    return this.#journal.meta('v1_used') === '1';
  }

  /**
   * A master that took records by the original's wire understands v2 now: it gets everything again, with totals
   * and bases, marked as what it may have had before.
   */
  upgradeFromV1(): void {
    if (!this.usedV1()) return;
    this.#db.transaction(() => {
      prepared(
        this.#db,
        `UPDATE samples SET dirty = 1, flags = flags | ${FLAG_AGAIN} WHERE flags & ${FLAG_ADOPTED} = 0`,
      ).run();
      this.#journal.setMeta('v1_used', '0');
    })();
  }
}
