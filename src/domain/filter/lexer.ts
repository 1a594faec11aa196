import type { FilterError, Span } from './tree.ts';

/** Words that are part of the language; as a value they are quoted. */
export const KEYWORDS = new Set(['and', 'or', 'not', 'in', 'is', 'empty', 'under']);

export type TokenKind = 'bare' | 'quoted' | 'op' | 'keyword' | '(' | ')' | ',' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The value of a quoted text; keywords in lower case; else as written. */
  readonly text: string;
  readonly at: Span;
}

const BARE = /[\p{L}\p{N}._:/*+@-]+/uy;
const SPACE = /\s+/uy;
const OP = /!=|!~|=~|<=|>=|[=~<>]/y;

/** Whether a value can stand without quotes. */
export function isBare(text: string): boolean {
  BARE.lastIndex = 0;
  const found = BARE.exec(text);
  return found !== null && found[0].length === text.length && !KEYWORDS.has(text.toLowerCase());
}

/** All tokens of a text, an `end` last. Never throws: what is none becomes an error and is passed over. */
export function tokens(text: string): { tokens: Token[]; errors: FilterError[] } {
  const found: Token[] = [];
  const errors: FilterError[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const from = at;
    const space = take(SPACE);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const char = text[at] ?? '';
    if (char === '(' || char === ')' || char === ',') {
      at++;
      found.push({ kind: char, text: char, at: [from, at] });
      continue;
    }
    if (char === '"') {
      const quoted = readQuoted(text, at);
      at = quoted.end;
      found.push({ kind: 'quoted', text: quoted.value, at: [from, at] });
      errors.push(...quoted.errors);
      continue;
    }
    const op = take(OP);
    if (op !== undefined) {
      at += op.length;
      found.push({ kind: 'op', text: op, at: [from, at] });
      continue;
    }
    const bare = take(BARE);
    if (bare !== undefined) {
      at += bare.length;
      const lower = bare.toLowerCase();
      const keyword = KEYWORDS.has(lower);
      found.push({ kind: keyword ? 'keyword' : 'bare', text: keyword ? lower : bare, at: [from, at] });
      continue;
    }
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    errors.push({
      at: [from, at],
      problem: `${JSON.stringify(text.slice(from, at))} has no meaning here`,
      hint: 'put values with such characters in double quotes',
    });
  }
  found.push({ kind: 'end', text: '', at: [text.length, text.length] });
  return { tokens: found, errors };
}

function readQuoted(text: string, start: number): { value: string; end: number; errors: FilterError[] } {
  const errors: FilterError[] = [];
  let value = '';
  let at = start + 1;
  while (at < text.length) {
    const char = text[at] ?? '';
    if (char === '"') return { value, end: at + 1, errors };
    if (char !== '\\') {
      value += char;
      at++;
      continue;
    }
    const next = text[at + 1];
    const code = /^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6)) ? text.slice(at + 2, at + 6) : undefined;
    if (next === '"' || next === '\\') {
      value += next;
      at += 2;
    } else if (next === 'u' && code !== undefined) {
      value += String.fromCharCode(Number.parseInt(code, 16));
      at += 6;
    } else {
      errors.push({
        at: [at, Math.min(text.length, at + 2)],
        problem: 'a backslash that begins nothing',
        hint: 'write \\\\ for a backslash, \\" for a quote, \\u0041 for a character by its number',
      });
      at++;
    }
  }
  errors.push({ at: [start, text.length], problem: 'a quote that never ends', hint: 'end the value with "' });
  return { value, end: text.length, errors };
}
