import { type CodeRange, complement, withCases } from './characters.ts';

/** A regular expression as a tree. */
export type PatternNode =
  | { readonly kind: 'set'; readonly ranges: readonly CodeRange[] }
  | { readonly kind: 'begin' | 'end' | 'border' | 'inside' }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly of: PatternNode; readonly min: number; readonly max: number };

/** Repetitions at most, nested ones multiplied; that is RE2's own bound. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 50;

const DIGIT: CodeRange[] = [[48, 57]];
const WORD: CodeRange[] = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const SPACE: CodeRange[] = [
  [9, 10],
  [12, 13],
  [32, 32],
];
const CLASSES: Readonly<Record<string, readonly CodeRange[]>> = {
  d: DIGIT,
  D: complement(DIGIT),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };
const ASSERTIONS = {
  '^': 'begin',
  $: 'end',
  '\\A': 'begin',
  '\\z': 'end',
  '\\b': 'border',
  '\\B': 'inside',
} as const;
const ALL_BUT_NEWLINE = complement([[10, 10]]);

/** What is wrong with a pattern, in words that go on after "is no regular expression: ". */
export class PatternProblem extends Error {}

/**
 * Reads the part of RE2's syntax that both stores and this program agree on: literals, `.`, classes, `\d \w \s \b`,
 * groups, `|`, `* + ? {n,m}`, `^ $`, and `(?i)` in front. Throws `PatternProblem`.
 */
export function readPattern(text: string): PatternNode {
  return new Reader(text.toWellFormed()).read();
}

class Reader {
  readonly #chars: readonly string[];
  readonly #ignoreCase: boolean;
  #next: number;
  #depth = 0;

  constructor(text: string) {
    this.#chars = [...text];
    this.#ignoreCase = text.startsWith('(?i)');
    this.#next = this.#ignoreCase ? 4 : 0;
  }

  read(): PatternNode {
    const node = this.#any();
    if (this.#peek() === ')') throw new PatternProblem('a ")" that ends nothing');
    if (repeats(node) > MAX_REPEAT) throw new PatternProblem(`more than ${MAX_REPEAT} repetitions`);
    return node;
  }

  #any(): PatternNode {
    const parts = [this.#all()];
    while (this.#take('|')) parts.push(this.#all());
    return parts.length === 1 ? (parts[0] as PatternNode) : { kind: 'any', parts };
  }

  #all(): PatternNode {
    const parts: PatternNode[] = [];
    for (let char = this.#peek(); char !== undefined && char !== '|' && char !== ')'; char = this.#peek()) {
      parts.push(this.#repeated(this.#one()));
    }
    return { kind: 'all', parts };
  }

  #one(): PatternNode {
    const char = this.#step();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#class();
      case '.':
        return { kind: 'set', ranges: ALL_BUT_NEWLINE };
      case '^':
      case '$':
        return { kind: ASSERTIONS[char] };
      case '*':
      case '+':
      case '?':
        throw new PatternProblem(`a "${char}" that repeats nothing`);
      case '{':
      case '}':
        throw new PatternProblem(`a "${char}" that is no repetition; write "\\${char}" for the character`);
      case '\\':
        return this.#escaped();
      default:
        return this.#literal(codeOf(char));
    }
  }

  #group(): PatternNode {
    if (++this.#depth > MAX_DEPTH) throw new PatternProblem(`nested more than ${MAX_DEPTH} deep`);
    if (this.#take('?') && !this.#take(':')) {
      throw new PatternProblem('a "(?" other than "(?:", or "(?i)" in front of all');
    }
    const node = this.#any();
    if (!this.#take(')')) throw new PatternProblem('a "(" that never ends');
    this.#depth--;
    return node;
  }

  #repeated(of: PatternNode): PatternNode {
    const bounds = this.#bounds();
    if (bounds === null) return of;
    // A lazy repetition finds other parts of a text, but in the same texts.
    this.#take('?');
    if (this.#bounds() !== null)
      throw new PatternProblem('a repetition of a repetition; put it in parentheses');
    return { kind: 'repeat', of, ...bounds };
  }

  #bounds(): { min: number; max: number } | null {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { min: 0, max: 1 };
    if (this.#peek() !== '{') return null;
    const rest = this.#chars.slice(this.#next, this.#next + 12).join('');
    const found = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(rest);
    if (found === null) return null;
    this.#next += found[0].length;
    const min = Number(found[1]);
    const last = found[2] === undefined ? found[1] : found[3];
    const max = last === '' ? Number.POSITIVE_INFINITY : Number(last);
    if (min > max || min > MAX_REPEAT || (max > MAX_REPEAT && last !== '')) {
      throw new PatternProblem(`"${found[0]}" is no repetition of up to ${MAX_REPEAT}`);
    }
    return { min, max };
  }

  #escaped(): PatternNode {
    const char = this.#step();
    const assertion = `\\${char}`;
    if (assertion in ASSERTIONS) return { kind: ASSERTIONS[assertion as keyof typeof ASSERTIONS] };
    const ranges = CLASSES[char];
    return ranges === undefined ? this.#literal(this.#escapedCode(char)) : this.#set(ranges, false);
  }

  /** The character that stands behind a backslash. */
  #escapedCode(char: string): number {
    const control = CONTROLS[char];
    if (control !== undefined) return control;
    if (char === 'x') return this.#hexadecimal();
    if (/^[!-/:-@[-`{-~]$/.test(char)) return codeOf(char);
    throw new PatternProblem(char === '' ? 'a backslash at its end' : `"\\${char}" means nothing`);
  }

  #hexadecimal(): number {
    const rest = this.#chars.slice(this.#next, this.#next + 10).join('');
    const found = /^(?:([0-9a-f]{2})|\{([0-9a-f]{1,6})\})/i.exec(rest);
    const code = Number.parseInt(found?.[1] ?? found?.[2] ?? '', 16);
    if (found === null || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      throw new PatternProblem('a "\\x" without a number such as 41 or {1F4A5}');
    this.#next += found[0].length;
    return code;
  }

  #class(): PatternNode {
    const negated = this.#take('^');
    const ranges: CodeRange[] = [];
    let first = true;
    while (first || this.#peek() !== ']') {
      first = false;
      if (this.#peek() === '[' && this.#peek(1) === ':') {
        throw new PatternProblem('"[:" in a class; write the characters, or \\d, \\w, \\s');
      }
      const low = this.#member();
      if (typeof low !== 'number') {
        ranges.push(...low);
        continue;
      }
      const range = this.#peek() === '-' && this.#peek(1) !== ']' && this.#peek(1) !== undefined;
      if (range) this.#next++;
      const high = range ? this.#member() : low;
      if (typeof high !== 'number' || high < low)
        throw new PatternProblem('a range in a class that ends before it begins');
      ranges.push([low, high]);
    }
    this.#next++;
    return this.#set(ranges, negated);
  }

  #member(): number | readonly CodeRange[] {
    const char = this.#step();
    if (char === '') throw new PatternProblem('a "[" that never ends');
    if (char !== '\\') return codeOf(char);
    const escaped = this.#step();
    return CLASSES[escaped] ?? this.#escapedCode(escaped);
  }

  #literal(code: number): PatternNode {
    return this.#set([[code, code]], false);
  }

  #set(ranges: readonly CodeRange[], negated: boolean): PatternNode {
    const cased = this.#ignoreCase ? withCases(ranges) : ranges;
    return { kind: 'set', ranges: negated ? complement(cased) : cased };
  }

  #peek(ahead = 0): string | undefined {
    return this.#chars[this.#next + ahead];
  }

  /** The next character, `''` at the end. */
  #step(): string {
    return this.#chars[this.#next++] ?? '';
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#next++;
    return true;
  }
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0;
}

/** The largest product of nested repetitions. */
function repeats(node: PatternNode): number {
  if (node.kind === 'all' || node.kind === 'any') return Math.max(1, ...node.parts.map(repeats));
  if (node.kind !== 'repeat') return 1;
  const times = Number.isFinite(node.max) ? node.max : node.min;
  return Math.max(1, times) * repeats(node.of);
}
