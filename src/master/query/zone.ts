import { MINUTE_MS } from '../../domain/bucket.ts';

const DAY = 1440;
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  formatters.set(zone, made);
  return made;
}

/** Whether this is a time zone that the platform knows (IANA name). */
export function isZone(zone: string): boolean {
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** Minutes that local time is ahead of UTC at a minute since the epoch. */
export function offsetAt(zone: string, minute: number): number {
  if (zone === 'UTC') return 0;
  const fields: Record<string, number> = {};
  for (const { type, value } of formatterOf(zone).formatToParts(minute * MINUTE_MS)) {
    fields[type] = Number(value);
  }
  const { year = 0, month = 1, day = 1, hour = 0, minute: minutes = 0 } = fields;
  return Date.UTC(year, month - 1, day, hour, minutes) / MINUTE_MS - minute;
}

/** A span of constant offset: minutes since the epoch, half-open, and local minus UTC in minutes. */
export interface Segment {
  from: number;
  to: number;
  offset: number;
}

/** The spans of constant offset that make up `[from, to)`, in order. */
export function segments(zone: string, from: number, to: number): Segment[] {
  const found: Segment[] = [];
  let begun = from;
  let offset = offsetAt(zone, from);
  for (let at = from; at < to; ) {
    const next = Math.min(at + DAY, to);
    const later = offsetAt(zone, next);
    if (later !== offset) {
      let before = at;
      let after = next;
      while (after - before > 1) {
        const middle = Math.floor((before + after) / 2);
        if (offsetAt(zone, middle) === offset) before = middle;
        else after = middle;
      }
      if (after > begun && after < to) {
        found.push({ from: begun, to: after, offset });
        begun = after;
      }
      if (after >= to) break;
      offset = offsetAt(zone, after);
      at = after;
    } else at = next;
  }
  found.push({ from: begun, to, offset });
  return found;
}

/** RFC 3339 with the zone's offset, `Z` in UTC. */
export function formatIn(zone: string, minute: number): string {
  const offset = offsetAt(zone, minute);
  const local = new Date((minute + offset) * MINUTE_MS).toISOString().slice(0, 19);
  if (zone === 'UTC') return `${local}Z`;
  const ahead = Math.abs(offset);
  const hours = String(Math.floor(ahead / 60)).padStart(2, '0');
  const minutes = String(ahead % 60).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${hours}:${minutes}`;
}
