const BRACKETED = /^\[(.+)\]$/s;

/** Cuts to `max` UTF-16 units without halving a pair; lone surrogates become U+FFFD (SQLite and DuckDB refuse them). */
export function bounded(text: string, max: number): string {
  if (text.length > max) {
    const last = text.charCodeAt(max - 1);
    text = text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
  }
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** The text of a value that some cores write as a string and others as a number; `''` for anything else. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : '';
}

/** An address in brackets, as URLs have it, without them. */
export function withoutBrackets(text: string): string {
  return BRACKETED.exec(text)?.[1] ?? text;
}
