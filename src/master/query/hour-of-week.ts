import type { MinuteRange } from './range.ts';
import { listed, type Sql, sql } from './sql.ts';
import { segments } from './zone.ts';

const HOURS = 7 * 24;
/** 1 January 1970 was a Thursday; weeks begin on Mondays. */
const FIRST_HOUR = 3 * 24;

/**
 * What the clock on the wall says of a bucket, as SQL. Offsets are looked up here and not in the database, whose
 * arithmetic in time zones takes ten times as long: a range of a year has three.
 */
export interface WallClock {
  /** Whole hours since Monday 00:00, 0 to 167. */
  readonly hourOfWeek: Sql;
  /** The minute (UTC) in which that hour began. */
  readonly hourStart: Sql;
}

/** Facts outside the ranges get a value that means nothing. */
export function wallClock(zone: string, ranges: readonly MinuteRange[]): WallClock {
  const from = Math.min(...ranges.map((range) => range.from));
  const to = Math.max(from + 1, ...ranges.map((range) => range.to));
  const spans = segments(zone, from, to);
  const last = spans.at(-1)?.offset ?? 0;
  const cases = spans.slice(0, -1).map((span) => sql`WHEN bucket < ${span.to} THEN ${span.offset}`);
  const offset = cases.length === 0 ? sql`${last}` : sql`(CASE ${listed(cases, ' ')} ELSE ${last} END)`;
  return {
    hourOfWeek: sql`(((bucket + ${offset}) // 60 + ${FIRST_HOUR}) % ${HOURS})`,
    hourStart: sql`(bucket - (bucket + ${offset}) % 60)`,
  };
}
