import { Type } from '@sinclair/typebox';
import type { ErrorDetail } from '../../common/errors.ts';
import { parseAskedTime } from '../../domain/asked-time.ts';
import { instantOfLocal } from '../query/local-time.ts';
import { type Bounds, RANGE_WORDS, type RangeWord, rangeOf } from '../query/range-words.ts';
import { instant, oneOf, timeZone, zoneOf } from './parameters.ts';

/** How a question says its interval, in a query string or in a body: a word, or bounds. */
export interface AskedRange {
  readonly range?: RangeWord;
  /** As the format `instant` takes them; local ones are read in `tz`. */
  readonly from?: string;
  readonly to?: string;
  readonly tz?: string;
}

/** The properties of `AskedRange` for schemas. */
export const RANGE_PARAMETERS = {
  range: Type.Optional(oneOf(RANGE_WORDS, 'instead of "from" and "to"')),
  from: Type.Optional(instant()),
  to: Type.Optional(instant()),
  tz: Type.Optional(timeZone()),
};

/** What is wrong with parts that are right by themselves. An empty interval is a mistake: it always answers nothing. */
export function checkRange(asked: AskedRange): ErrorDetail[] {
  const given = (['from', 'to'] as const).filter((name) => asked[name] !== undefined);
  if (asked.range !== undefined && given.length > 0) {
    const names = given.map((name) => `"${name}"`).join(' and ');
    return [{ field: 'range', problem: `cannot be combined with ${names}: give the one or the other` }];
  }
  const zone = zoneOf(asked.tz);
  const from = readBound(asked.from, zone);
  const to = readBound(asked.to, zone);
  if (from === undefined || to === undefined || from < to) return [];
  return [{ field: 'to', problem: 'must be after "from"' }];
}

/** The interval of a question that passed validation and `checkRange`; `now` in epoch ms. */
export function boundsOf(asked: AskedRange, now: number): Bounds {
  const zone = zoneOf(asked.tz);
  if (asked.range !== undefined) return rangeOf(asked.range, zone, now);
  return { from: readBound(asked.from, zone), to: readBound(asked.to, zone) };
}

function readBound(text: string | undefined, zone: string): number | undefined {
  if (text === undefined) return undefined;
  const parsed = parseAskedTime(text);
  if ('local' in parsed) return instantOfLocal(zone, parsed.local);
  return 'at' in parsed ? parsed.at : undefined;
}
