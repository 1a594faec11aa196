import { CharacterSet } from './characters.ts';
import { type PatternNode, PatternProblem, readPattern } from './pattern-syntax.ts';

/** States of the machine that a pattern may need; each step of a match may visit all of them. */
export const MAX_STATES = 1000;

type State =
  | { readonly kind: 'set'; readonly set: CharacterSet; readonly next: number }
  | { readonly kind: 'begin' | 'end' | 'border' | 'inside'; readonly next: number }
  | { readonly kind: 'split'; readonly next: number; other: number }
  | { readonly kind: 'found' };

export type ParsedPattern =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly problem: string };

/** Reads a regular expression (`pattern-syntax.ts`); what is no such is said in words. */
export function parsePattern(text: string): ParsedPattern {
  try {
    return { ok: true, pattern: new Pattern(readPattern(text)) };
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    return { ok: false, problem: error.message };
  }
}

/**
 * A regular expression that runs in time proportional to the text, whatever the pattern: all ways to match are
 * followed at once, none is tried again (Thompson). JavaScript's own engine tries one after the other, and a hostile
 * pattern keeps it busy for ever.
 */
export class Pattern {
  readonly #states: State[] = [];
  readonly #start: number;
  /** The position at which a state was last entered, plus one: so nothing must be cleared between positions. */
  readonly #entered: Uint32Array;
  #current: number[] = [];
  #following: number[] = [];
  readonly #stack: number[] = [];

  /** Throws `PatternProblem` for one that needs too many states. */
  constructor(node: PatternNode) {
    this.#start = this.#emit(node, this.#add({ kind: 'found' }));
    this.#entered = new Uint32Array(this.#states.length);
  }

  /** Whether it matches any part of a text. */
  matches(text: string): boolean {
    this.#entered.fill(0);
    this.#current.length = 0;
    let before = -1;
    for (let at = 0; ; ) {
      const code = text.codePointAt(at) ?? -1;
      // A match may begin anywhere.
      if (this.#enter(this.#start, at, before, code, this.#current)) return true;
      if (code === -1) return false;
      const next = at + (code > 0xffff ? 2 : 1);
      const after = text.codePointAt(next) ?? -1;
      this.#following.length = 0;
      for (const index of this.#current) {
        const state = this.#states[index] as State & { kind: 'set' };
        if (state.set.has(code) && this.#enter(state.next, next, code, after, this.#following)) return true;
      }
      [this.#current, this.#following] = [this.#following, this.#current];
      before = code;
      at = next;
    }
  }

  /** Follows what needs no character, down to the states that do (into `into`); true where a match is found. */
  #enter(start: number, at: number, before: number, after: number, into: number[]): boolean {
    const stack = this.#stack;
    stack.length = 0;
    stack.push(start);
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (this.#entered[index] === at + 1) continue;
      this.#entered[index] = at + 1;
      const state = this.#states[index] as State;
      switch (state.kind) {
        case 'found':
          return true;
        case 'set':
          into.push(index);
          break;
        case 'split':
          stack.push(state.next, state.other);
          break;
        default:
          if (holds(state.kind, before, after)) stack.push(state.next);
      }
    }
    return false;
  }

  #add(state: State): number {
    if (this.#states.length >= MAX_STATES) throw new PatternProblem('too large');
    return this.#states.push(state) - 1;
  }

  /** Adds the states of a node that go on to `next`; returns the first. */
  #emit(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'set':
        return this.#add({ kind: 'set', set: new CharacterSet(node.ranges), next });
      case 'all':
        return node.parts.reduceRight((after, part) => this.#emit(part, after), next);
      case 'any':
        return node.parts
          .map((part) => this.#emit(part, next))
          .reduceRight((other, first) => this.#add({ kind: 'split', next: first, other }));
      case 'repeat':
        return this.#repeat(node.of, node.min, node.max, next);
      default:
        return this.#add({ kind: node.kind, next });
    }
  }

  #repeat(of: PatternNode, min: number, max: number, next: number): number {
    let after = next;
    if (max === Number.POSITIVE_INFINITY) {
      const loop: State = { kind: 'split', next, other: next };
      after = this.#add(loop);
      loop.other = this.#emit(of, after);
    } else {
      for (let i = min; i < max; i++) {
        after = this.#add({ kind: 'split', next, other: this.#emit(of, after) });
      }
    }
    for (let i = 0; i < min; i++) after = this.#emit(of, after);
    return after;
  }
}

function holds(kind: 'begin' | 'end' | 'border' | 'inside', before: number, after: number): boolean {
  switch (kind) {
    case 'begin':
      return before === -1;
    case 'end':
      return after === -1;
    case 'border':
      return isWord(before) !== isWord(after);
    case 'inside':
      return isWord(before) === isWord(after);
  }
}

/** ASCII letters, digits and `_`, as in RE2. */
function isWord(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95
  );
}
