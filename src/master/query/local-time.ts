import { MINUTE_MS } from '../../domain/bucket.ts';
import { segments } from './zone.ts';

/** Local time never differs by more than this from UTC, nor jumps by more; minutes. */
const SLACK = 2 * 1440;

/**
 * The instant (epoch ms) at which clocks of a zone show a local time, given as if it were UTC (epoch ms).
 *
 * A time that the clock shows twice is the first of the two. One that it skips is the moment of the jump: so the
 * order of two local times is never turned round, and a day whose midnight is skipped begins when it begins.
 */
export function instantOfLocal(zone: string, local: number): number {
  const minute = Math.floor(local / MINUTE_MS);
  const spans = segments(zone, minute - SLACK, minute + SLACK);
  const shown = spans.find(({ from, to, offset }) => minute - offset >= from && minute - offset < to);
  if (shown !== undefined) return local - shown.offset * MINUTE_MS;
  const jump = spans.find(({ from, offset }) => from + offset > minute);
  if (jump === undefined) throw new Error(`${zone} never shows ${new Date(local).toISOString()}`);
  return jump.from * MINUTE_MS;
}
