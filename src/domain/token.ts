import { plainName } from './plain-name.ts';

/** What a token may do: deliver as one agent; ask every question; everything. */
export const TOKEN_SCOPES = ['agent', 'read', 'admin'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** Longest name of a token, in characters of any script. */
export const MAX_TOKEN_NAME = 64;

export const TOKEN_NAME_RULE = `1 to ${MAX_TOKEN_NAME} characters of any script, no controls, not digits alone`;

/** The name of a token as it is kept, or null when it is none. Digits alone are its number, by which it is revoked, too. */
export function normalTokenName(text: string): string | null {
  const name = plainName(text, MAX_TOKEN_NAME);
  return name === null || /^\d+$/.test(name) ? null : name;
}

const DAY_MS = 86_400_000;
const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS };

/** `90d`, `12h`, `4w` from now as epoch milliseconds; null when it is no such span of at most 100 years. */
export function spanEnd(text: string, now: number): number | null {
  const match = /^(\d{1,6})([hdw])$/.exec(text);
  const span = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN);
  return span > 0 && span <= 36_525 * DAY_MS ? now + span : null;
}
