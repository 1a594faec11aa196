import type { Recipe } from './generator.ts';

/**
 * When facts reach the master. Every agent is out of reach for three hours of every 150, each at another time, and
 * delivers what it kept when it is back: 2 % of the facts come late, and those of a connection in their order.
 */
export const OUTAGE = 180;
const EVERY = 9000;
const APART = 450;

/** Minute of an agent's facts, at which they reach the master; both since the epoch. */
export function arrivalOf(recipe: Recipe, agent: number, minute: number): number {
  const place = (minute - recipe.firstMinute + agent * APART) % EVERY;
  return place < OUTAGE ? minute + OUTAGE - place : minute;
}

/** The same as SQL. */
export function arrivalSql(recipe: Recipe, agent: string, minute: string): string {
  const place = `((${minute} - ${recipe.firstMinute} + ${agent} * ${APART}) % ${EVERY})`;
  return `${minute} + CASE WHEN ${place} < ${OUTAGE} THEN ${OUTAGE} - ${place} ELSE 0 END`;
}

/** Bytes that a core's totals have and no connection: in every other minute of an agent, some kilobytes. */
export function unattributedOf(
  recipe: Recipe,
  agent: number,
  minute: number,
): { download: number; upload: number } {
  let mixed = Math.imul((minute - recipe.firstMinute) ^ (agent << 24) ^ recipe.seed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  mixed = (mixed ^ (mixed >>> 16)) >>> 0;
  if (mixed % 2 === 0) return { download: 0, upload: 0 };
  return { download: 1 + ((mixed >>> 8) % 60_000), upload: 1 + ((mixed >>> 16) % 6000) };
}
