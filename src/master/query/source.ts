import { HALF_HOUR } from '../../domain/bucket.ts';
import type { TierName } from '../store/store.ts';
import { type Sql, sql } from './sql.ts';

/** Where the facts of a question are read: tables as they stand behind FROM, in brackets where they are made of several. */
export interface Source {
  readonly tier: TierName;
  /** Facts of counted connections; with overlay, of overlay connections too. */
  readonly counted: Sql;
  /** Facts of kinds 1 and 2, with `kind`. */
  readonly aside: Sql;
  /** Minutes of a bucket. */
  readonly width: 1 | typeof HALF_HOUR;
}

/**
 * The half hours, and what is not in them yet: stitched by lot, so nothing is missing or twice, however late it came.
 * The minutes of that tail keep their own `prev`, which changes no count of an interval with bounds on half hours; they
 * alone are moved to the begin of theirs, for doing so with every row made a series half as fast.
 */
const STITCHED = (watermark: number): Sql => sql`(SELECT * FROM half_hour
  UNION ALL BY NAME SELECT * EXCLUDE (conn) REPLACE (${BEGIN} AS bucket) FROM minute WHERE lot > ${watermark})`;
const STITCHED_ASIDE = (watermark: number): Sql => sql`(SELECT * FROM half_hour_aside
  UNION ALL BY NAME SELECT * EXCLUDE (conn) REPLACE (${BEGIN} AS bucket) FROM minute_aside WHERE lot > ${watermark})`;
const BEGIN = sql`(bucket // ${HALF_HOUR} * ${HALF_HOUR})::INTEGER`;

/**
 * `watermark`: the newest lot that the coarse tier has, null where it has all: beside a part that is empty DuckDB knows
 * nothing of the values of the other, and groups by a hash where it could look up an array: top hosts took half as much time again.
 */
export function sourceOf(tier: TierName, watermark: number | null, overlay = false): Source {
  const [counted, aside, width] =
    tier === 'minute'
      ? ([sql`minute`, sql`minute_aside`, 1] as const)
      : watermark === null
        ? ([sql`half_hour`, sql`half_hour_aside`, HALF_HOUR] as const)
        : ([STITCHED(watermark), STITCHED_ASIDE(watermark), HALF_HOUR] as const);
  const both = sql`(SELECT * FROM ${counted} UNION ALL BY NAME
    SELECT * EXCLUDE (kind) FROM ${aside} WHERE kind = 1)`;
  return { tier, counted: overlay ? both : counted, aside, width };
}
