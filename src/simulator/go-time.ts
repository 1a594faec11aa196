/**
 * An instant as Go writes a `time.Time`: RFC 3339 in the given zone, up to nine fraction digits, trailing zeros
 * dropped (a whole second has none), `Z` for an offset of zero.
 *
 * @param at epoch milliseconds (whole)
 * @param nanos nanoseconds within that millisecond, 0–999999
 */
export function goTime(at: number, nanos: number, zoneOffsetMinutes: number): string {
  const local = new Date(at + zoneOffsetMinutes * 60_000).toISOString();
  const fraction = (local.slice(20, 23) + String(nanos).padStart(6, '0')).replace(/0+$/, '');
  return local.slice(0, 19) + (fraction === '' ? '' : `.${fraction}`) + zone(zoneOffsetMinutes);
}

function zone(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  const hours = String(Math.floor(size / 60)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${hours}:${String(size % 60).padStart(2, '0')}`;
}
