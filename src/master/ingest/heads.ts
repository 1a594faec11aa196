import { CodedError } from '../../common/errors.ts';
import { prepared, type Sqlite } from '../../common/sqlite.ts';

/** Streams of an agent: an agent without a lasting journal, started anew every hour, takes a year. */
const MAX_STREAMS = 10_000;
/** Boots of a stream whose heads are kept. */
const MAX_BOOTS = 16;

export interface Stream {
  num: number;
  isNew: boolean;
  totals: { download: number; upload: number };
}

export interface HeadVerdict {
  ok: boolean;
  /** The boot's own head, else the stream's newest; null where the stream has none. */
  headBefore: string | null;
  /** This process of the agent was heard of before. */
  knownBoot: boolean;
}

interface HeadRow {
  boot: string;
  batch: string;
  seq: number;
}

/** Streams and their heads: what says whether a batch continues from what this master has. */
export class Heads {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  stream(agentId: string, stream: string, now: number): Stream {
    const row = prepared(
      this.#db,
      'SELECT num, totals_down, totals_up FROM streams WHERE agent_id = ? AND stream = ?',
    ).get(agentId, stream) as { num: number; totals_down: number; totals_up: number } | undefined;
    if (row !== undefined) {
      prepared(this.#db, 'UPDATE streams SET last_seen = ? WHERE num = ?').run(now, row.num);
      return { num: row.num, isNew: false, totals: { download: row.totals_down, upload: row.totals_up } };
    }
    this.#refuseBeyondMost(agentId);
    const result = prepared(
      this.#db,
      'INSERT INTO streams (agent_id, stream, first_seen, last_seen) VALUES (?, ?, ?, ?)',
    ).run(agentId, stream, now, now);
    return { num: Number(result.lastInsertRowid), isNew: true, totals: { download: 0, upload: 0 } };
  }

  /** None can be forgotten instead: if it came back, its totals would be booked a second time. */
  #refuseBeyondMost(agentId: string): void {
    const count = prepared(this.#db, 'SELECT count(*) FROM streams WHERE agent_id = ?').pluck();
    const known = count.get(agentId) as number;
    if (known < MAX_STREAMS) return;
    throw new CodedError('too_many_journals', `agent "${agentId}" has had ${known} journals`);
  }

  /** `ok` = `prev`, or one of `inflight`, is any head of the stream; or neither side has one. */
  judge(stream: number, boot: string, prev: string | null, inflight: readonly string[]): HeadVerdict {
    const heads = this.#all(stream);
    const own = heads.find((head) => head.boot === boot);
    const headBefore = own?.batch ?? heads[0]?.batch ?? null;
    const knownBoot = own !== undefined;
    if (heads.length === 0) return { ok: prev === null, headBefore, knownBoot };
    const known = new Set(heads.map((head) => head.batch));
    const ok = (prev !== null && known.has(prev)) || inflight.some((batch) => known.has(batch));
    return { ok, headBefore, knownBoot };
  }

  /** Moves the boot's head. Other boots' heads go when there are too many, the stream's newest never. */
  move(stream: number, boot: string, batch: string, now: number): void {
    const newest = this.#all(stream)[0]?.seq ?? 0;
    prepared(
      this.#db,
      `INSERT INTO heads (stream, boot, batch, seq, at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (stream, boot) DO UPDATE SET batch = excluded.batch, seq = excluded.seq, at = excluded.at`,
    ).run(stream, boot, batch, newest + 1, now);
    prepared(
      this.#db,
      `DELETE FROM heads WHERE stream = ? AND boot IN (
           SELECT boot FROM heads WHERE stream = ? ORDER BY seq DESC LIMIT -1 OFFSET ${MAX_BOOTS})`,
    ).run(stream, stream);
  }

  /** Newest first. */
  #all(stream: number): HeadRow[] {
    return prepared(this.#db, 'SELECT boot, batch, seq FROM heads WHERE stream = ? ORDER BY seq DESC').all(
      stream,
    ) as HeadRow[];
  }
}
