/**
 * Steps over JSON in bytes without reading it. None of these checks the grammar inside a value: for valid JSON the extents are
 * exact, and whoever uses an extent of anything else finds out when it is parsed.
 */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const BACKSLASH = 0x5c;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

/** The first position from `at` on that is no white space (or the end). */
export function skipSpace(bytes: Uint8Array, at: number): number {
  const end = bytes.length;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at++;
  }
  return at;
}

/** The position after the string that begins with the quote at `at`; -1 when it does not end. */
export function skipString(bytes: Uint8Array, at: number): number {
  const end = bytes.length;
  for (let i = at + 1; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) return i + 1;
    if (byte === BACKSLASH) i++;
  }
  return -1;
}

/** The position after the value that begins at `at`; -1 when there is none or it does not end. */
export function skipValue(bytes: Uint8Array, at: number): number {
  const end = bytes.length;
  if (at >= end) return -1;
  const first = bytes[at]!;
  if (first === QUOTE) return skipString(bytes, at);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return skipScalar(bytes, at);
  let depth = 0;
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) {
      const after = skipString(bytes, i);
      if (after < 0) return -1;
      i = after - 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return i + 1;
  }
  return -1;
}

function skipScalar(bytes: Uint8Array, at: number): number {
  const end = bytes.length;
  let i = at;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte <= 0x20) break;
    i++;
  }
  return i === at ? -1 : i;
}

/** Whether the bytes from `at` on are this ASCII text. */
export function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  if (at + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Parses the JSON in `[from, to)`; throws SyntaxError as JSON.parse does. */
export function parseSlice(bytes: Buffer, from: number, to: number): unknown {
  return JSON.parse(bytes.toString('utf8', from, to));
}
