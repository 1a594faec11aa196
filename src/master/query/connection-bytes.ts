import { MINUTE_MS } from '../../domain/bucket.ts';
import type { FactReader, ReadOptions, RunQuery } from '../store/store.ts';
import type { Bounds } from './range-words.ts';
import { type Sql, sql } from './sql.ts';
import type { Freshness } from './stats-service.ts';
import { toNumber } from './sums.ts';

/** Booked bytes; `recovered` is a part of the others, of both directions. */
export interface BookedBytes {
  download: number;
  upload: number;
  recovered: number;
}

/** Start of the minute in epoch ms, download, upload, and the recovered part of both. */
export type MinuteBytes = readonly [at: number, download: number, upload: number, recovered: number];

export interface BytesInRange {
  /** By number of the record; null where minutes of the range may be no longer kept. */
  bytes: Map<number, BookedBytes | null>;
  /** From where minutes are kept, epoch ms, when the range reaches further back. */
  cut: { from: number } | null;
}

export interface MinutesOf {
  /** In order of time; null where none is kept any more. */
  minutes: MinuteBytes[] | null;
  cut: { from: number } | null;
}

/**
 * What was booked to single connections, minute by minute. Only the minute tier knows connections by number, so this
 * reaches as far back as minutes are kept; what may be incomplete is null, never a small number.
 */
export class ConnectionBytes {
  readonly #facts: FactReader;
  readonly #freshness: Freshness;

  constructor({ facts, freshness }: { facts: FactReader; freshness: Freshness }) {
    this.#facts = facts;
    this.#freshness = freshness;
  }

  /**
   * Brings what waits into the fact store. Call it before records are read: bytes in range are then never more than
   * the counters beside them. Returns up to when all that arrived is in it, epoch ms.
   */
  async refresh(): Promise<number> {
    await this.#freshness.flushNow();
    return this.#freshness.state.freshTo;
  }

  /** Bytes of each of these records in an interval; bounds inside a minute are moved outwards. */
  async inRange(conns: readonly number[], bounds: Bounds, options?: ReadOptions): Promise<BytesInRange> {
    const from = bounds.from === undefined ? null : Math.floor(bounds.from / MINUTE_MS);
    const to = bounds.to === undefined ? null : Math.ceil(bounds.to / MINUTE_MS);
    return await this.#facts.read(async (run) => {
      const kept = await minuteFrom(run);
      const cut = kept !== null && (from === null || from < kept);
      const rows = conns.length === 0 ? [] : await run(inRangeStatement(conns, from, to).render());
      const found = new Map(rows.map((row) => [Number(row.conn), row]));
      const bytes = new Map(
        conns.map((conn): [number, BookedBytes | null] => {
          const row = found.get(conn);
          // Its first fact is still here, so all of them are.
          const whole = !cut || row?.whole === true;
          return [conn, whole ? bytesOf(row ?? {}) : null];
        }),
      );
      return { bytes, cut: cut ? { from: kept * MINUTE_MS } : null };
    }, options);
  }

  /** All minutes of one record that are kept. */
  async minutes(conn: number, options?: ReadOptions): Promise<MinutesOf> {
    return await this.#facts.read(async (run) => {
      const kept = await minuteFrom(run);
      const rows = await run(minutesStatement(conn).render());
      const whole = kept === null || rows.some((row) => row.whole === true);
      const minutes = rows.map((row): MinuteBytes => {
        const { download, upload, recovered } = bytesOf(row);
        return [Number(row.bucket) * MINUTE_MS, download, upload, recovered];
      });
      if (whole) return { minutes, cut: null };
      return { minutes: minutes.length === 0 ? null : minutes, cut: { from: kept * MINUTE_MS } };
    }, options);
  }
}

/** The first whole minute that is kept, null while all are. */
async function minuteFrom(run: RunQuery): Promise<number | null> {
  const rows = await run(sql`SELECT value FROM meta WHERE key = 'minute_from'`.render());
  return rows[0] === undefined ? null : Number(rows[0].value);
}

/** Facts of single connections: those of overlay stand aside. */
function factsOf(conns: Sql): Sql {
  return sql`SELECT conn, bucket, prev, recovered, down, up FROM minute WHERE conn IN (${conns})
    UNION ALL SELECT conn, bucket, prev, recovered, down, up FROM minute_aside WHERE kind = 1 AND conn IN (${conns})`;
}

const SUMS = sql`sum(down) AS d, sum(up) AS u, sum(CASE WHEN recovered THEN down + up ELSE 0 END) AS r`;

function inRangeStatement(conns: readonly number[], from: number | null, to: number | null): Sql {
  const inside = sql`(${from}::INTEGER IS NULL OR bucket >= ${from}::INTEGER)
    AND (${to}::INTEGER IS NULL OR bucket < ${to}::INTEGER)`;
  return sql`WITH f AS (${factsOf(sql`SELECT unnest(${conns}::BIGINT[])`)})
    SELECT conn, bool_or(prev = 0) AS whole, sum(down) FILTER (WHERE ${inside}) AS d, sum(up) FILTER (WHERE ${inside}) AS u,
      sum(down + up) FILTER (WHERE recovered AND ${inside}) AS r FROM f GROUP BY conn`;
}

function minutesStatement(conn: number): Sql {
  return sql`WITH f AS (${factsOf(sql`${conn}`)})
    SELECT bucket, bool_or(prev = 0) AS whole, ${SUMS} FROM f GROUP BY bucket ORDER BY bucket`;
}

function bytesOf(row: Readonly<Record<string, unknown>>): BookedBytes {
  return { download: toNumber(row.d), upload: toNumber(row.u), recovered: toNumber(row.r) };
}
