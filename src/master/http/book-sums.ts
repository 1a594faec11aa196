import type { Bytes } from '../../domain/connection.ts';
import type { DailySum } from '../query/answers.ts';
import { plus } from '../query/sums.ts';
import type { Period } from '../records/query.ts';

/** What was booked for one agent in one period. */
export interface BookSums {
  agentId: string;
  /** Index into the periods. */
  period: number;
  attributed: Bytes;
  /** A part of attributed. */
  recovered: Bytes;
  unattributed: Bytes;
}

/**
 * Sums of days, gathered into periods that are made of the same days. The first day may have begun before the
 * first period: its sum is of the part inside.
 */
export function bookSums(days: readonly DailySum[], periods: readonly Period[]): BookSums[] {
  const sums = new Map<string, BookSums>();
  for (const day of days) {
    const at = Math.max(day.day, periods[0]?.from ?? day.day);
    const period = periods.findIndex(({ from, to }) => at >= from && at < to);
    if (period < 0) continue;
    const key = `${period} ${day.agent}`;
    const sum = sums.get(key) ?? {
      agentId: day.agent,
      period,
      attributed: { download: 0, upload: 0 },
      recovered: { download: 0, upload: 0 },
      unattributed: { download: 0, upload: 0 },
    };
    sums.set(key, sum);
    for (const what of ['attributed', 'recovered', 'unattributed'] as const) {
      sum[what].download = plus(sum[what].download, day[what].download);
      sum[what].upload = plus(sum[what].upload, day[what].upload);
    }
  }
  return [...sums.values()];
}
