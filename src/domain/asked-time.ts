const TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:(Z)|([+-])(\d{2})(?::?(\d{2}))?)?)?$/i;
const LOST_PLUS = /^\d{4}-\d{2}-\d{2}T[\d:.,]+ \d{2}:?\d{0,2}$/i;

/**
 * What a text says of a time: the instant (epoch ms, cut to milliseconds), a local time (the same, as if it were
 * UTC) that names an instant only together with a zone, or what is wrong with it.
 */
export type AskedTime = { readonly at: number } | { readonly local: number } | { readonly problem: string };

/** A time as people ask for it, in a query or a filter: ISO 8601, a day alone being its midnight. */
export function parseAskedTime(text: string): AskedTime {
  const match = TIME.exec(text);
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
  if (match[8] === undefined && match[9] === undefined) {
    // Zones have no agreed clock before there was UTC.
    return part(1) < 1970 || part(1) > 9998
      ? { problem: 'must be of the years 1970 to 9998' }
      : { local: utc };
  }
  const offset = (zoneHour * 60 + zoneMinute) * 60_000;
  return { at: match[9] === '-' ? utc + offset : utc - offset };
}

/** A time that must name one instant wherever it is read: with a zone. */
export function parseInstant(text: string): { readonly at: number } | { readonly problem: string } {
  const asked = parseAskedTime(text);
  return 'local' in asked ? { problem: 'has no zone: end it with Z, or an offset such as +08:00' } : asked;
}

function problemOf(text: string): string {
  if (LOST_PLUS.test(text)) return 'has a space where its zone begins: write "+" as %2B in a URL';
  return 'must be an ISO 8601 time such as 2026-01-31T08:00:00Z, or a local one such as 2026-01-31 or 2026-01-31T08:00';
}
