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
    const fitting = smallestThatFits(range.from, range.to, MAX_POINTS);
    throw new CodedError(
      'query_too_large',
      `${points} points are more than ${MAX_POINTS}; the smallest interval that fits is ${fitting}`,
      { details: [{ field: 'interval', problem: `use ${fitting} or longer` }] },
    );
  }
  return pointStarts(interval, zone, range.from, range.to);
}
