import { byteSize } from '../../common/byte-size.ts';
import { MINUTE_MS } from '../../domain/bucket.ts';
import type { TrafficAnswer } from '../../master/query/traffic-answer.ts';
import { formatIn } from '../../master/query/zone.ts';

/** Gaps and agents listed one by one; more are counted. */
const LISTED = 5;
/** An agent delivers every minute by default: what is older than this is worth a word. */
const LATE_MS = 5 * MINUTE_MS;

/** Local time of the zone to the minute: `2026-11-23 08:00`. */
export function timeIn(zone: string, at: number): string {
  return formatIn(zone, Math.floor(at / MINUTE_MS))
    .slice(0, 16)
    .replace('T', ' ');
}

/** What must be known to read the sums right: their time, what is missing from them, what may still come. */
export function notesOf({ data, meta }: TrafficAnswer, zone: string): string[] {
  const time = (at: number) => timeIn(zone, at);
  const notes = [`${time(meta.range.from)} to ${time(meta.range.to)}, ${zone}`];
  if (meta.previous !== null) {
    notes.push(`compared with ${time(meta.previous.from)} to ${time(meta.previous.to)}`);
  }
  if (meta.fresh_to > 0) notes.push(`all that had arrived by ${time(meta.fresh_to)} is in it`);
  if (!meta.aligned) notes.push('bounds were moved outwards: so far back only whole half hours are kept');
  if (meta.range_cut !== null) {
    notes.push(`what was before ${time(meta.range_cut.from)} is not kept any more, and not in it`);
  }
  if (!meta.unattributed.applies) {
    const { download, upload } = meta.unattributed;
    notes.push(
      `unattributed bytes of that time (${byteSize(download + upload)}) fit no filter but by agent, and are not in it`,
    );
  }
  if (meta.cut) notes.push('a sum is beyond what can be counted, and shown as 8191 TiB');
  return [...notes, ...gapNotes(data.gaps, meta.gaps_omitted, zone), ...freshnessNotes(meta, zone)];
}

type Gap = TrafficAnswer['data']['gaps'][number];

/** The newest of them; nobody knows what moved meanwhile but as recovered bytes. */
function gapNotes(gaps: readonly Gap[], omitted: number, zone: string): string[] {
  const all = gaps.length + omitted;
  if (all === 0) return [];
  const listed = gaps.slice(-LISTED).map(({ agent_id, from, to, reason }) => {
    return `  ${agent_id}: ${timeIn(zone, Date.parse(from))} to ${timeIn(zone, Date.parse(to))}, ${reason}`;
  });
  const more = all > listed.length ? `, the newest ${listed.length} of them` : '';
  return [`${all === 1 ? '1 gap' : `${all} gaps`} without snapshots in that time${more}:`, ...listed];
}

/** Agents of which less is known than was asked for. */
function freshnessNotes({ freshness, fresh_to, range }: TrafficAnswer['meta'], zone: string): string[] {
  const wanted = Math.min(range.to, fresh_to) - LATE_MS;
  const late = freshness.filter(({ booked_to, backlog_ms }) => booked_to < wanted || backlog_ms > LATE_MS);
  const listed = late.slice(0, LISTED).map(({ agent_id, booked_to, backlog_ms }) => {
    const reason = backlog_ms > LATE_MS ? 'it has more to deliver' : 'it was not heard of since, or was idle';
    return `  ${agent_id}: booked to ${timeIn(zone, booked_to)}; ${reason}`;
  });
  if (late.length === 0) return [];
  const more = late.length > listed.length ? `, ${listed.length} of ${late.length} shown` : '';
  return [`agents that are behind${more}:`, ...listed];
}
