import { HALF_HOUR } from '../../domain/bucket.ts';
import type { RunQuery, SqlRow } from '../store/store.ts';
import { sql } from './sql.ts';
import type { Kept } from './tier.ts';

/** What says that anything may have changed: the newest lot, the newest rollup, and what retention took. */
const MARKS = sql`SELECT
  (SELECT {'lot': lot, 'token': token::VARCHAR} FROM lots ORDER BY lot DESC LIMIT 1) AS newest,
  (SELECT coalesce(max(lot), 0) FROM rollups)::INTEGER AS watermark,
  (SELECT coalesce(max(value::BIGINT), 0) FROM meta WHERE key = 'minute_from')::INTEGER AS minutes,
  (SELECT coalesce(max(value::BIGINT), 0) FROM meta WHERE key = 'half_hour_from')::INTEGER AS half_hours`.render();

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

/** Reads what the store holds, and remembers it while nothing has changed: the extent is found by reading a column of each table. */
export class KeptReader {
  #marks = '';
  #kept: KeptAt | null = null;

  async read(run: RunQuery): Promise<KeptAt> {
    const [row = {}] = await run(MARKS);
    const marks = JSON.stringify([row.newest, row.watermark, row.minutes, row.half_hours]);
    if (this.#kept !== null && marks === this.#marks) return this.#kept;
    const [extent = {}] = await run(EXTENT);
    const newest = row.newest as KeptAt['newest'] | null;
    this.#kept = {
      newest: newest ?? { lot: 0, token: '' },
      watermark: Number(row.watermark),
      hasTail: (newest?.lot ?? 0) > Number(row.watermark),
      extent: extentOf(extent, Number(row.minutes)),
      facts: { minute: Number(extent.minutes), half_hour: Number(extent.half_hours) },
      wholeFrom: { minute: Number(row.minutes), half_hour: Number(row.half_hours) },
    };
    this.#marks = marks;
    return this.#kept;
  }
}

/** Half hours begin before what is in them, so they say where data begins only once minutes are gone. */
function extentOf(row: SqlRow, minutesFrom: number): Kept['extent'] {
  const first = minutesFrom === 0 ? row.fine : row.first;
  return typeof first === 'number' && typeof row.last === 'number' ? { first, last: row.last } : null;
}
