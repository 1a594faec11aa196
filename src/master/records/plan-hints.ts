import type { Sqlite } from '../../common/sqlite.ts';
import type { ConnectionsQuery } from './query.ts';

/**
 * A `+` before a column keeps SQLite from using its index. SQLite guesses without knowing how times are spread, and
 * its guess reads everything before a recent day, or walks from now back to an old one.
 */
export interface PlanHints {
  /** Before the start in `start < to`. */
  readonly start: '' | '+';
  /** Before the key in ORDER BY. */
  readonly key: '' | '+';
}

export const NO_HINTS: PlanHints = { start: '', key: '' };

/** Up to this share of all time, sorting what lies in an interval beats walking an index in order. */
const NARROW = 0.1;

/** The ends of both indexes tell where the interval lies. */
export function planHints(db: Sqlite, query: ConnectionsQuery): PlanHints {
  if (query.from === null) return NO_HINTS;
  const { oldest, newest } = db
    .prepare(
      'SELECT (SELECT min(start_ms) FROM records) AS oldest, (SELECT max(updated_ms) FROM records) AS newest',
    )
    .get() as { oldest: number | null; newest: number | null };
  if (oldest === null || newest === null) return NO_HINTS;
  const to = Math.min(query.to ?? newest, newest);
  // By start, everything before the interval is read; by end, everything after it.
  const recent = newest - query.from < to - oldest;
  const narrow = to - query.from < NARROW * (newest - oldest);
  return { start: recent ? '+' : '', key: narrow ? '+' : '' };
}
