import { RE2JS, RE2JSException } from 're2js';

/** Instructions that a pattern may become; each step of a match may visit all of them. */
export const MAX_PROGRAM = 1000;

export type ParsedPattern =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads a regular expression of RE2's syntax, the one that the fact store has: it runs in time proportional to the
 * text, whatever the pattern. JavaScript's own engine can be kept busy for ever by a short one.
 */
export function parsePattern(text: string): ParsedPattern {
  // RE2 sees bytes, and finds `\B` inside of a letter; RE2JS sees letters.
  if (/(?<!\\)(?:\\\\)*\\[BC]/.test(text))
    return { ok: false, problem: '"\\B" and "\\C" are not known here' };
  try {
    const compiled = RE2JS.compile(text);
    if (compiled.programSize() > MAX_PROGRAM) return { ok: false, problem: 'too large' };
    return { ok: true, pattern: new Pattern(compiled) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return { ok: false, problem: error.message.replace(/^error parsing regexp: /, '') };
  }
}

export class Pattern {
  readonly #compiled: RE2JS;

  constructor(compiled: RE2JS) {
    this.#compiled = compiled;
  }

  /** Whether it is found anywhere in the text. */
  matches(text: string): boolean {
    return this.#compiled.test(text);
  }
}
