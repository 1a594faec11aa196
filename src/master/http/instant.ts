const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:(Z)|([+-])(\d{2})(?::?(\d{2}))?)$/i;
const WITHOUT_ZONE = /^\d{4}-\d{2}-\d{2}(?:T[\d:.,]*)?$/i;
const LOST_PLUS = /^\d{4}-\d{2}-\d{2}T[\d:.,]+ \d{2}:?\d{0,2}$/i;

/**
 * A time in a query: ISO 8601 with a zone, so that it names one instant wherever it is read. Epoch ms, cut to
 * milliseconds; or what is wrong with it.
 */
export function parseInstant(text: string): { at: number } | { problem: string } {
  const match = INSTANT.exec(text);
  if (match === null) return { problem: problemOf(text) };
  const part = (index: number): number => Number(match[index] ?? 0);
  const [hour, minute, second, zoneHour, zoneMinute] = [part(4), part(5), part(6), part(10), part(11)];
  const ms = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const utc = Date.UTC(part(1), part(2) - 1, part(3), hour, minute, second, ms);
  const day = new Date(Date.UTC(part(1), part(2) - 1, part(3)));
  const exists =
    day.getUTCMonth() === part(2) - 1 && day.getUTCDate() === part(3) && day.getUTCFullYear() === part(1);
  if (!exists || hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) {
    return { problem: 'is no time that exists' };
  }
  const offset = (zoneHour * 60 + zoneMinute) * 60_000;
  return { at: match[9] === '-' ? utc + offset : utc - offset };
}

function problemOf(text: string): string {
  if (LOST_PLUS.test(text)) return 'has a space where its zone begins: write "+" as %2B in a URL';
  if (WITHOUT_ZONE.test(text)) return 'has no zone: end it with Z, or an offset such as +08:00';
  return 'must be an ISO 8601 time with a zone, such as 2026-01-31T08:00:00Z';
}

/**
 * The time zone of an IANA name in its one spelling, null when there is none. Offsets such as +08:00 know no
 * daylight saving and are none. (One spelling, because what is computed for a zone is kept by its name.)
 */
export function canonicalZone(name: string): string | null {
  if (!/^[A-Za-z]/.test(name)) return null;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}
