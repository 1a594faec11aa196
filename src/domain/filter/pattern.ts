import { RE2JS, RE2JSException } from 're2js';

/** Instructions that a pattern may become; each step of a match may visit all of them. */
export const MAX_PROGRAM = 1000;

export type ParsedPattern =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly problem: string };

/** Categories and scripts that RE2 and RE2JS know by the same name, whichever version of Unicode they have. */
const CATEGORY = /^\^?(?:Any|C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;
const SCRIPTS: ReadonlySet<string> = new Set(
  `Arabic Armenian Bengali Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hebrew
   Hiragana Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Sinhala Tamil Telugu Thai Tibetan`.split(
    /\s+/,
  ),
);

/**
 * What RE2JS reads and the fact store's RE2 does not, or in another way. (RE2 sees bytes, and finds `\B` inside of a
 * letter.) A pattern that only one of them knew would be an error of the store, or another answer.
 */
function problemOfDialect(text: string): string | undefined {
  for (const [found, name] of text.matchAll(/\\(?:[pP](?:\{([^}]*)\}|.)|.)/gsu)) {
    if (/^\\[BCQ]/.test(found)) return `"${found}" is not known here`;
    if (!/^\\[pP]/.test(found)) continue;
    const of = name ?? found.slice(2);
    if (!CATEGORY.test(of) && !SCRIPTS.has(of.replace(/^\^/, ''))) return `there is no class "${found}"`;
  }
  return /\(\?</.test(text) ? '"(?<" is not known here; a group is named by (?P<name>…)' : undefined;
}

/**
 * Reads a regular expression of RE2's syntax, the one that the fact store has: it runs in time proportional to the
 * text, whatever the pattern. JavaScript's own engine can be kept busy for ever by a short one.
 */
export function parsePattern(text: string): ParsedPattern {
  const problem = problemOfDialect(text);
  if (problem !== undefined) return { ok: false, problem };
  try {
    // Stores keep no half of a character.
    const compiled = RE2JS.compile(text.toWellFormed());
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
