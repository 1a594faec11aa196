import { HALF_HOUR } from '../../domain/bucket.ts';
import type { RunQuery, SqlRow } from '../store/store.ts';
import { type Sql, sql } from './sql.ts';
import type { Kept } from './tier.ts';

/**
 * What says that anything may have changed: the newest lot, the newest rollup, and what retention took. As rows of one
 * plain statement, which is planned in less time than four within one.
 */
const marksFrom = (lot: Sql) =>
  sql`
  SELECT 'lot' AS mark, lot::VARCHAR AS value, token::VARCHAR AS token FROM lots WHERE lot >= ${lot}
  UNION ALL SELECT 'watermark', max(lot)::VARCHAR, NULL FROM rollups
  UNION ALL SELECT key, value, NULL FROM meta WHERE key IN ('minute_from', 'half_hour_from')`.render();

const NEWEST_LOT = sql`(SELECT max(lot) FROM lots)`;

const EXTENT =
  sql`SELECT (SELECT count(*) FROM minute) AS minutes, (SELECT count(*) FROM half_hour) AS half_hours,
  min(bucket) FILTER (WHERE fine) AS fine, min(bucket) AS first,
  coalesce(max(bucket) FILTER (WHERE fine), max(bucket)) AS last FROM (
  SELECT true AS fine, unnest([min(bucket), max(bucket)]) AS bucket FROM minute
  UNION ALL SELECT true, unnest([min(bucket), max(bucket)]) FROM minute_aside
  UNION ALL SELECT false, unnest([min(bucket), max(bucket) + ${HALF_HOUR - 1}]) FROM half_hour
  UNION ALL SELECT false, unnest([min(bucket), max(bucket) + ${HALF_HOUR - 1}]) FROM half_hour_aside)`.render();

/** A state of the store, by which answers are known to be still right. */
export interface KeptAt extends Kept {
  /** The newest lot, and its token: restored copies reuse numbers. */
  readonly newest: { readonly lot: number; readonly token: string };
}

type Marks = Pick<KeptAt, 'newest' | 'watermark' | 'wholeFrom'>;

/** Reads what the store holds, and remembers it while nothing has changed: the extent is found by reading a column of each table. */
export class KeptReader {
  #kept: KeptAt | null = null;

  async read(run: RunQuery): Promise<KeptAt> {
    const marks = await this.#marks(run);
    const { newest, watermark, wholeFrom } = marks;
    if (this.#kept !== null && isSame(marks, this.#kept)) return this.#kept;
    const [extent = {}] = await run(EXTENT);
    this.#kept = {
      ...marks,
      hasTail: newest.lot > watermark,
      extent: extentOf(extent, wholeFrom.minute),
      facts: { minute: Number(extent.minutes), half_hour: Number(extent.half_hours) },
    };
    return this.#kept;
  }

  async #marks(run: RunQuery): Promise<Marks> {
    const known = this.#kept?.newest.lot ?? 0;
    if (known > 0) {
      const rows = await run(marksFrom(sql`${known}`));
      // Where the newest known lot is gone, the store was cut back.
      if (rows.some(({ mark }) => mark === 'lot')) return marksOf(rows);
    }
    return marksOf(await run(marksFrom(NEWEST_LOT)));
  }
}

function marksOf(rows: readonly SqlRow[]): Marks {
  let newest = { lot: 0, token: '' };
  let watermark = 0;
  const wholeFrom = { minute: 0, half_hour: 0 };
  for (const { mark, value, token } of rows) {
    const number = Number(value ?? 0);
    if (mark === 'lot' && number > newest.lot) newest = { lot: number, token: String(token) };
    else if (mark === 'watermark') watermark = number;
    else if (mark === 'minute_from') wholeFrom.minute = number;
    else if (mark === 'half_hour_from') wholeFrom.half_hour = number;
  }
  return { newest, watermark, wholeFrom };
}

function isSame(a: Marks, b: Marks): boolean {
  return (
    a.newest.lot === b.newest.lot &&
    a.newest.token === b.newest.token &&
    a.watermark === b.watermark &&
    a.wholeFrom.minute === b.wholeFrom.minute &&
    a.wholeFrom.half_hour === b.wholeFrom.half_hour
  );
}

/** Half hours begin before what is in them, so they say where data begins only once minutes are gone. */
function extentOf(row: SqlRow, minutesFrom: number): Kept['extent'] {
  const first = minutesFrom === 0 ? row.fine : row.first;
  return typeof first === 'number' && typeof row.last === 'number' ? { first, last: row.last } : null;
}
