const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * When a connection began, epoch milliseconds by the core's clock: RFC 3339 with any number of fractional digits
 * (Go writes 0 to 9) and any offset, or a number of milliseconds. 0 for everything else, and for times that
 * cannot be (Go's zero time is in year 1; nothing here is older than 1970).
 */
export function readStart(value: unknown): number {
  if (typeof value === 'number') return plausible(Math.floor(value));
  if (typeof value !== 'string') return 0;
  const match = RFC3339.exec(value);
  if (match === null) return 0;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // Date.UTC would carry month 13 over into the next year; a leap second (60) it may carry.
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return 0;
  if (year < 1970) return 0;
  const millis = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const offset = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * (match[8] === '-' ? -1 : 1);
  return plausible(Date.UTC(year, month - 1, day, hour, minute, second, millis) - offset * 60_000);
}

function plausible(at: number): number {
  return Number.isSafeInteger(at) && at > 0 ? at : 0;
}
