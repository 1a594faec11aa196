import { CodedError, type ErrorDetail } from '../../common/errors.ts';
import { estimatePoints, parseInterval, pointStarts, smallestThatFits } from './interval.ts';
import { MAX_POINTS } from './questions.ts';
import type { MinuteRange } from './range.ts';
import { isZone } from './zone.ts';

/**
 * Starts of the points of a series over a range (minutes; the first may lie before it). Throws `bad_request` for
 * an unknown interval or zone, and `query_too_large` with the interval that would fit.
 */
export function pointsOf(text: string, zone: string, range: MinuteRange): number[] {
  const interval = parseInterval(text);
  const details: ErrorDetail[] = [];
  if (!interval) {
    details.push({
      field: 'interval',
      problem:
        'must be minute, hour, day, week, month, or a multiple such as 5m, 6h, 2d; parts of a day must divide it',
    });
  }
  if (!isZone(zone))
    details.push({ field: 'tz', problem: 'must be the name of a time zone, such as Europe/Berlin' });
  if (!interval || details.length > 0)
    throw new CodedError('bad_request', 'the question is not valid', { details });
  const points = estimatePoints(interval, range.from, range.to);
  if (points > MAX_POINTS) {
    throw tooManyPoints(points, smallestThatFits(range.from, range.to, MAX_POINTS));
  }
  return pointStarts(interval, zone, range.from, range.to);
}

/** Says what helps: a longer interval, or where no interval is long enough, less time. */
function tooManyPoints(points: number, fitting: string | null): CodedError {
  const many = `${points} points are more than ${MAX_POINTS}`;
  if (fitting === null) {
    const details = [{ field: 'from', problem: 'is too far from "to" for any interval' }];
    return new CodedError('query_too_large', `${many}, and so are those of any longer interval`, { details });
  }
  const details = [{ field: 'interval', problem: `use ${fitting} or longer` }];
  return new CodedError('query_too_large', `${many}; the smallest interval that fits is ${fitting}`, {
    details,
  });
}
