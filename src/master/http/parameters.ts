import { type TInteger, type TUnsafe, Type } from '@sinclair/typebox';
import { parseAskedTime, parseInstant } from '../../domain/asked-time.ts';
import { parseInterval } from '../query/interval.ts';
import { canonicalZone } from './time-zone.ts';

/** Longest text of a parameter: the longest value of any field that can be filtered by. */
const MAX_TEXT = 4096;

/** One of the words; a plain `enum`, so that one wrong word is one problem. */
export function oneOf<const T extends readonly string[]>(words: T, description?: string): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...words], ...(description && { description }) });
}

export const text = (description?: string) =>
  Type.String({ maxLength: MAX_TEXT, ...(description && { description }) });

export const whole = (minimum: number, maximum: number): TInteger => Type.Integer({ minimum, maximum });

export const instant = () =>
  Type.String({
    format: 'instant',
    description: 'ISO 8601 with a zone, or local and read in `tz`; the interval is half-open',
  });

/** One instant, wherever it is read. */
export const zonedInstant = () =>
  Type.String({ format: 'zoned-instant', description: 'ISO 8601 with a zone' });

/** Epoch milliseconds of such a parameter that the validator let pass. */
export function instantOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const parsed = parseInstant(value);
  return 'at' in parsed ? parsed.at : undefined;
}

export const timeZone = () => Type.String({ format: 'time-zone', description: 'IANA name; default UTC' });

export const interval = () =>
  Type.String({
    format: 'interval',
    description: 'minute, hour, day, week, month, or multiples such as 5m, 6h',
  });

/** For questions without parameters: any is a mistake. */
export const NoQuery = Type.Object({}, { additionalProperties: false });

/** The formats that schemas name, for the validator. */
export const FORMATS: Readonly<Record<string, (value: string) => boolean>> = {
  instant: (value) => !('problem' in parseAskedTime(value)),
  'zoned-instant': (value) => 'at' in parseInstant(value),
  'time-zone': (value) => canonicalZone(value) !== null,
  interval: (value) => parseInterval(value) !== null,
  port: (value) => value === '' || (/^\d{1,5}$/.test(value) && Number(value) <= 65_535),
};

/** A port, or nothing for connections without one. */
export const port = () => Type.String({ format: 'port', description: '0 to 65535, or empty' });

export function zoneOf(value: string | undefined): string {
  return (value === undefined ? null : canonicalZone(value)) ?? 'UTC';
}
