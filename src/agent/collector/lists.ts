import { bounded } from './text.ts';

/** Most elements of a chain that are kept, and UTF-16 units of each. */
const MAX_CHAIN = 32;
const MAX_ELEMENT = 64;

/**
 * A chain as JSON text, policy group first: the reverse of the core's order. A chain that is too long loses its
 * middle, for its first element is the group and its last the exit, which are dimensions of their own.
 */
export function readChains(value: unknown, maxText: number): string {
  if (!Array.isArray(value)) return '[]';
  const names = value.filter((item): item is string => typeof item === 'string').reverse();
  if (names.length > MAX_CHAIN) names.splice(MAX_CHAIN / 2, names.length - MAX_CHAIN);
  const kept = names.map((name) => bounded(name, MAX_ELEMENT));
  let text = JSON.stringify(kept);
  // Only names full of quotes and control characters come here: escaped they may be six times as long.
  while (text.length > maxText) {
    kept.splice(kept.length >> 1, 1);
    text = JSON.stringify(kept);
  }
  return text;
}

/**
 * Country codes as JSON text: `null` never looked up, `[]` looked up without result, else lower-case codes. Some
 * cores write one code as a plain string.
 */
export function readGeoip(value: unknown, maxText: number): string {
  if (typeof value === 'string') value = value.trim() === '' ? null : [value];
  if (!Array.isArray(value)) return 'null';
  const codes: string[] = [];
  for (const item of value) {
    if (typeof item !== 'string' || item.trim() === '') continue;
    codes.push(bounded(item.trim(), MAX_ELEMENT).toLowerCase());
    if (JSON.stringify(codes).length > maxText) {
      codes.pop();
      break;
    }
  }
  return JSON.stringify(codes);
}
