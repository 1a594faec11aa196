import { ALL_FIELDS, Checks, type FilterScope } from './check.ts';
import { type Token, tokens } from './lexer.ts';
import type { Filter, FilterError, Operator, Span } from './tree.ts';

/** Longest text, in UTF-16 units; most tests; deepest nesting of parentheses and `not`. */
export const MAX_FILTER = 4096;
export const MAX_TESTS = 64;
export const MAX_DEPTH = 16;

export type ParsedFilter =
  | { readonly ok: true /** Null when the text says nothing. */; readonly filter: Filter | null }
  | { readonly ok: false; readonly errors: readonly FilterError[] };

/** Parses a filter expression. Never throws; all that is wrong is said at once. */
export function parseFilter(text: string, scope: FilterScope): ParsedFilter {
  if (text.length > MAX_FILTER) {
    const hint = `at most ${MAX_FILTER} characters`;
    return {
      ok: false,
      errors: [{ at: [MAX_FILTER, text.length], problem: 'the filter is too long', hint }],
    };
  }
  return new Parser(text, scope).parse();
}

/** Goes on after an error at the next `and`, `or`, `)` or the end. */
class Broken extends Error {}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #errors: FilterError[];
  readonly #checks: Checks;
  #next = 0;
  #tests = 0;
  #depth = 0;

  constructor(text: string, scope: FilterScope) {
    const read = tokens(text);
    this.#tokens = read.tokens;
    this.#errors = [...read.errors];
    this.#checks = new Checks(scope);
  }

  parse(): ParsedFilter {
    if (this.#peek().kind === 'end' && this.#errors.length === 0) return { ok: true, filter: null };
    let filter = this.#or();
    while (this.#peek().kind !== 'end') {
      const token = this.#take();
      this.#say(
        token.at,
        `${name(token)} belongs to nothing before it`,
        'leave it out, or open a parenthesis before',
      );
      if (this.#begins()) filter = this.#or();
    }
    if (this.#errors.length > 0 || filter === null) {
      const errors = this.#errors.toSorted((a, b) => a.at[0] - b.at[0]);
      return { ok: false, errors };
    }
    return { ok: true, filter };
  }

  #or(): Filter | null {
    const parts = [this.#and()];
    while (this.#takeKeyword('or')) parts.push(this.#and());
    return joined('or', parts);
  }

  #and(): Filter | null {
    const parts = [this.#not()];
    while (this.#takeKeyword('and') || this.#begins()) parts.push(this.#not());
    return joined('and', parts);
  }

  /** Whether what comes can begin another part without an `and`. */
  #begins(): boolean {
    const { kind, text } = this.#peek();
    return kind === '(' || kind === 'bare' || kind === 'quoted' || (kind === 'keyword' && text === 'not');
  }

  #not(): Filter | null {
    const start = this.#peek();
    if (!this.#takeKeyword('not')) return this.#part();
    if (!this.#deeper(start)) {
      this.#recover();
      return null;
    }
    const of = this.#not();
    this.#depth--;
    return of === null ? null : { kind: 'not', of };
  }

  #part(): Filter | null {
    const start = this.#peek();
    try {
      if (start.kind === '(') return this.#group(this.#take());
      return this.#test();
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.#recover();
      return null;
    }
  }

  #group(open: Token): Filter | null {
    if (!this.#deeper(open)) {
      this.#skipGroup();
      return null;
    }
    const filter = this.#or();
    this.#depth--;
    const close = this.#peek();
    if (close.kind === ')') this.#take();
    else this.#say(open.at, 'a parenthesis that never ends', 'end it with )');
    return filter;
  }

  #deeper(at: Token): boolean {
    if (++this.#depth <= MAX_DEPTH) return true;
    this.#depth--;
    this.#say(at.at, `nested more than ${MAX_DEPTH} deep`, 'leave out parentheses');
    return false;
  }

  #test(): Filter | null {
    const token = this.#peek();
    if (token.kind !== 'bare' && token.kind !== 'quoted') {
      this.#fail(token, `${name(token)} where a test or a word should stand`, 'for example: host ~ example');
    }
    this.#next++;
    if (++this.#tests > MAX_TESTS) {
      this.#fail(token, `more than ${MAX_TESTS} tests`, 'use "in (…)" for several values of one field');
    }
    const op = this.#operator(token.kind === 'bare');
    if (op === null) return this.#word(token);
    if (token.kind === 'quoted') this.#fail(token, 'a field is not quoted', ALL_FIELDS);
    // Its values are read even where there is no such field, so that what is wrong behind it is said, too.
    const values = this.#values(op.name);
    const checked = this.#checks.test(token, op, values);
    this.#errors.push(...checked.errors);
    return checked.test;
  }

  #word(token: Token): Filter | null {
    if (token.text !== '') return { kind: 'word', text: token.text };
    this.#say(token.at, 'an empty word is in everything', 'leave it out');
    return null;
  }

  /** The operator that follows; null when none does. Words like `not` may begin the next part instead. */
  #operator(afterField: boolean): { name: Operator; at: Span } | null {
    const token = this.#peek();
    const [second, third] = [this.#peek(1), this.#peek(2)];
    if (token.kind === 'op') return { name: this.#take().text as Operator, at: token.at };
    if (token.kind !== 'keyword') return null;
    if (token.text === 'under' || token.text === 'in') {
      this.#take();
      return { name: token.text, at: token.at };
    }
    if (token.text === 'not' && second.text === 'in' && second.kind === 'keyword' && afterField) {
      this.#next += 2;
      return { name: 'not in', at: [token.at[0], second.at[1]] };
    }
    if (token.text !== 'is') return null;
    const negated = second.kind === 'keyword' && second.text === 'not';
    const last = negated ? third : second;
    if (last.kind !== 'keyword' || last.text !== 'empty') {
      this.#take();
      this.#fail(last, `${name(last)} after "is"`, 'write "is empty", "is not empty", or = and a value');
    }
    this.#next += negated ? 3 : 2;
    return { name: negated ? 'not empty' : 'empty', at: [token.at[0], last.at[1]] };
  }

  #values(op: Operator): Token[] {
    if (op === 'empty' || op === 'not empty') return [];
    if (op !== 'in' && op !== 'not in') return [this.#value()];
    const open = this.#peek();
    if (open.kind !== '(') this.#fail(open, `${name(open)} after "${op}"`, `for example: ${op} (one, two)`);
    this.#take();
    try {
      return this.#list();
    } catch (error) {
      // What is left of the list is not read as something else.
      this.#skipGroup();
      throw error;
    }
  }

  #list(): Token[] {
    const values = [this.#value()];
    while (this.#peek().kind === ',') {
      this.#take();
      values.push(this.#value());
    }
    const close = this.#peek();
    if (close.kind !== ')')
      this.#fail(close, `${name(close)} in a list of values`, 'values stand between commas, then )');
    this.#take();
    return values;
  }

  #value(): Token {
    const token = this.#peek();
    if (token.kind === 'bare' || token.kind === 'quoted') return this.#take();
    const hint =
      token.kind === 'keyword' ? `write "${token.text}" in quotes` : 'a value, in quotes if it has spaces';
    return this.#fail(token, `${name(token)} where a value should stand`, hint);
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  #takeKeyword(text: 'and' | 'or' | 'not'): boolean {
    const token = this.#peek();
    if (token.kind !== 'keyword' || token.text !== text) return false;
    this.#next++;
    return true;
  }

  #say(at: Span, problem: string, hint: string): void {
    this.#errors.push({ at, problem, hint });
  }

  #fail(token: Token, problem: string, hint: string): never {
    this.#say(token.at, problem, hint);
    throw new Broken();
  }

  #recover(): void {
    for (;;) {
      const { kind, text } = this.#peek();
      if (kind === 'end' || kind === ')' || (kind === 'keyword' && (text === 'and' || text === 'or'))) return;
      this.#next++;
      if (kind === '(') this.#skipGroup();
    }
  }

  /** Past the parenthesis that fits the one that was opened. */
  #skipGroup(): void {
    for (let open = 1; open > 0; ) {
      const { kind } = this.#take();
      if (kind === 'end') return;
      if (kind === '(') open++;
      if (kind === ')') open--;
    }
  }
}

/** One part stands for itself; parts of the same kind are taken in; null where one could not be read. */
function joined(kind: 'and' | 'or', parts: readonly (Filter | null)[]): Filter | null {
  const read = parts.filter((part) => part !== null);
  if (read.length < parts.length) return null;
  if (read.length === 1) return read[0] ?? null;
  return { kind, parts: read.flatMap((part) => (part.kind === kind ? part.parts : [part])) };
}

function name(token: Token): string {
  return token.kind === 'end' ? 'the end' : JSON.stringify(token.text);
}
