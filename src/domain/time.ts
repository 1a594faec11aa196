/**
 * Times as text at the edges; inside everything is epoch milliseconds.
 */

/**
 * Nothing was recorded before 2018, when the first core with this API was released: an earlier time is that of a
 * clock that was never set (1970, 2000 …), and one such row must not stretch every chart over half a century.
 */
export const EARLIEST_MS = Date.UTC(2018, 0, 1);

/** The latest time that is taken for one: RFC 3339 ends with the year 9999. */
export const LATEST_MS = Date.UTC(10_000, 0, 1) - 1;

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?\s*([Zz]|[+-]\d{2}:?\d{2})$/;

/**
 * Epoch milliseconds of an RFC 3339 time with any offset and 0 to 9 fractional digits (cut to milliseconds);
 * null when it is none, or earlier than any record can be.
 */
export function parseTime(text: string): number | null {
  const match = RFC3339.exec(text.trim());
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const ms = Number(fraction.padEnd(3, '0').slice(0, 3));
  const utc = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    ms,
  );
  const check = new Date(utc);
  if (check.getUTCMonth() !== Number(month) - 1 || check.getUTCDate() !== Number(day)) return null;
  let offset = 0;
  if (zone !== 'Z' && zone !== 'z') {
    const digits = zone.slice(1).replace(':', '');
    const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
    offset = (zone.startsWith('-') ? -minutes : minutes) * 60_000;
  }
  const at = utc - offset;
  return at >= EARLIEST_MS && at <= LATEST_MS ? at : null;
}

/** RFC 3339 in UTC with milliseconds, the form in which this program writes times into text columns. */
export function formatTime(at: number): string {
  return new Date(at).toISOString();
}
