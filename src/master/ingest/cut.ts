/** Longer ones are cut like other text: what no core sends is not worth reading. */
const MAX_LIST = 64 * 1024;

/** Cuts a value to what is kept: a list loses its middle, anything else its end, at a whole character. */
export function cut(value: string, max: number): string {
  const text = value.toWellFormed();
  if (text.length <= max) return text;
  return cutList(text, max) ?? cutText(text, max);
}

function cutText(text: string, max: number): string {
  const end = text.charCodeAt(max - 1);
  return text.slice(0, end >= 0xd800 && end <= 0xdbff ? max - 1 : max);
}

/**
 * Chains and countries are JSON text, of which the first element and the last are dimensions of their own: cut like
 * other text, it would be none, and a proxied connection would look direct. Null for what is no list.
 */
function cutList(text: string, max: number): string | null {
  if (!text.startsWith('[') || text.length > MAX_LIST) return null;
  const list = parseList(text);
  if (list === null) return null;
  const head: string[] = [];
  const tail: string[] = [];
  let length = 1;
  for (let i = 0; i < list.length; i++) {
    // From both ends: the first, the last, the second …
    const part = JSON.stringify(i % 2 === 0 ? list[i / 2] : list.at(-(i + 1) / 2));
    length += part.length + 1;
    if (length > max) break;
    if (i % 2 === 0) head.push(part);
    else tail.unshift(part);
  }
  return `[${[...head, ...tail].join(',')}]`;
}

/** The texts of a list; null where it is none. */
function parseList(text: string): string[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : null;
  } catch {
    return null;
  }
}
