/** Code points from `low` to `high`, both included. */
export type CodeRange = readonly [low: number, high: number];

/** A set of code points. */
export class CharacterSet {
  readonly #ranges: readonly CodeRange[];
  /** Nearly all text of this program is ASCII, so that is looked up. */
  readonly #ascii = new Uint8Array(128);

  /** Ranges in any order; they may overlap. */
  constructor(ranges: readonly CodeRange[]) {
    this.#ranges = joined(ranges);
    for (let code = 0; code < 128; code++) this.#ascii[code] = this.#search(code) ? 1 : 0;
  }

  has(code: number): boolean {
    return code < 128 ? this.#ascii[code] === 1 : this.#search(code);
  }

  #search(code: number): boolean {
    let low = 0;
    let high = this.#ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const [from, to] = this.#ranges[middle] as CodeRange;
      if (code < from) high = middle - 1;
      else if (code > to) low = middle + 1;
      else return true;
    }
    return false;
  }
}

const LAST = 0x10ffff;

function joined(ranges: readonly CodeRange[]): CodeRange[] {
  const found: [number, number][] = [];
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else found.push([low, high]);
  }
  return found;
}

/** All code points that are in none of them. */
export function complement(ranges: readonly CodeRange[]): CodeRange[] {
  const found: CodeRange[] = [];
  let next = 0;
  for (const [low, high] of joined(ranges)) {
    if (low > next) found.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= LAST) found.push([next, LAST]);
  return found;
}

/** Letters that differ in case alone, by Unicode's simple folding: `k`, `K` and the sign for kelvin. */
let orbits: readonly (readonly number[])[] | undefined;

function allOrbits(): readonly (readonly number[])[] {
  if (orbits !== undefined) return orbits;
  const byFold = new Map<number, number[]>();
  // No letter with case lies beyond the supplementary multilingual plane.
  for (let code = 0; code < 0x20000; code++) {
    const fold = folded(code);
    if (fold === code) continue;
    const orbit = byFold.get(fold);
    if (orbit === undefined) byFold.set(fold, [fold, code]);
    else orbit.push(code);
  }
  orbits = [...byFold.values()];
  return orbits;
}

function folded(code: number): number {
  // The dotless i and the dotted I are letters of their own.
  if (code === 0x130 || code === 0x131 || (code >= 0xd800 && code <= 0xdfff)) return code;
  return single(single(code, 'toUpperCase'), 'toLowerCase');
}

function single(code: number, change: 'toUpperCase' | 'toLowerCase'): number {
  const changed = String.fromCodePoint(code)[change]();
  const first = changed.codePointAt(0) ?? code;
  return changed.length === (first > 0xffff ? 2 : 1) ? first : code;
}

/** The same with every letter in all its cases. */
export function withCases(ranges: readonly CodeRange[]): CodeRange[] {
  const set = new CharacterSet(ranges);
  const more = allOrbits().filter((orbit) => orbit.some((code) => set.has(code)));
  return [...ranges, ...more.flatMap((orbit) => orbit.map((code): CodeRange => [code, code]))];
}

/**
 * A text as it is compared where case is ignored: each character by itself, so that what a letter becomes does not
 * depend on its neighbours (as the final sigma does), and a part of a text is a part of the result.
 */
export function lowered(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what it says.
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  let result = '';
  for (const char of text) result += char === '\u0130' ? 'i' : char.toLowerCase();
  return result;
}
