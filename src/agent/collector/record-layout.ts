import {
  BACKSLASH,
  CLOSE_BRACE,
  COLON,
  COMMA,
  QUOTE,
  skipSpace,
  skipString,
  skipValue,
  startsWith,
} from './json-bytes.ts';

/** Where the parts of one record lie: absolute positions in the frame's bytes. */
export class RecordLayout {
  end = 0;
  /** First character of the id, -1 when it was not found; a hint only. */
  id = -1;
  /** The two counters as plain digits, in the order of the text; -1 when they are anything else. */
  firstFrom = -1;
  firstTo = -1;
  secondFrom = -1;
  secondTo = -1;
  uploadFirst = false;

  /** Without counters the record can be compared as a whole only. */
  forgetCounters(): void {
    this.firstFrom = -1;
    this.firstTo = -1;
    this.secondFrom = -1;
    this.secondTo = -1;
  }
}

/**
 * Finds the end and the parts of the object that begins at `start`. False when it is no valid JSON object; true does
 * not mean that it is one (the caller parses it). Keys written twice or with escapes are left to the parser.
 */
export function layOutRecord(bytes: Uint8Array, start: number, into: RecordLayout): boolean {
  into.id = -1;
  into.forgetCounters();
  let uploads = 0;
  let downloads = 0;
  let plain = true;
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] === CLOSE_BRACE) {
    into.end = at + 1;
    return true;
  }
  for (;;) {
    if (bytes[at] !== QUOTE) return false;
    const key = at + 1;
    const keyEnd = skipString(bytes, at);
    if (keyEnd < 0) return false;
    for (let i = key; i < keyEnd; i++) if (bytes[i] === BACKSLASH) plain = false;
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== COLON) return false;
    const value = skipSpace(bytes, at + 1);
    const valueEnd = skipValue(bytes, value);
    if (valueEnd < 0) return false;
    const length = keyEnd - 1 - key;
    if (length === 2 && startsWith(bytes, key, 'id')) into.id = value + 1;
    else if (length === 6 && startsWith(bytes, key, 'upload')) {
      if (uploads++ === 0) noteCounter(into, value, valueEnd, true);
    } else if (length === 8 && startsWith(bytes, key, 'download')) {
      if (downloads++ === 0) noteCounter(into, value, valueEnd, false);
    }
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === CLOSE_BRACE) break;
    if (bytes[at] !== COMMA) return false;
    at = skipSpace(bytes, at + 1);
  }
  into.end = at + 1;
  const usable =
    plain &&
    uploads === 1 &&
    downloads === 1 &&
    isDigits(bytes, into.firstFrom, into.firstTo) &&
    isDigits(bytes, into.secondFrom, into.secondTo);
  if (!usable) into.forgetCounters();
  return true;
}

function noteCounter(into: RecordLayout, from: number, to: number, isUpload: boolean): void {
  if (into.firstFrom < 0) {
    into.firstFrom = from;
    into.firstTo = to;
    into.uploadFirst = isUpload;
  } else {
    into.secondFrom = from;
    into.secondTo = to;
  }
}

function isDigits(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i]! < 0x30 || bytes[i]! > 0x39) return false;
  return true;
}
