import type { Sqlite } from '../../common/sqlite.ts';
import { addressNumber } from '../../domain/address.ts';
import { DIMENSIONS, portOf } from '../../domain/dimensions.ts';
import { lowered } from '../../domain/filter/lowered.ts';
import { type Pattern, parsePattern } from '../../domain/filter/pattern.ts';
import { computeOf } from '../store/dictionary-values.ts';
import { functionOf } from './dimension-values.ts';

/** Characters of texts whose results are kept at most; some 50,000 hosts with three functions of them. */
const MAX_KEPT = 4_000_000;

/** What an address is compared as: 32 hexadecimal digits, so that order of texts is order of addresses. */
export function addressKey(number: bigint): string {
  return number.toString(16).padStart(32, '0');
}

/** Computed dimensions: their own definitions, not a second wording of them in SQL. */
const OF_TEXT: Readonly<Record<string, (text: string) => string | number>> = {
  ...Object.fromEntries(
    DIMENSIONS.flatMap((dimension) => {
      const compute = computeOf(dimension);
      return compute === undefined ? [] : [[functionOf(dimension), compute]];
    }),
  ),
  port_of: portOf,
};

/** The key of an address, null for what is none. Addresses are many, and those of IPv4 sooner read than looked up. */
function addressKeyOf(text: string): string | null {
  let number = 0;
  let part = -1;
  let dots = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : DOT;
    if (code >= 48 && code <= 57) {
      part = Math.max(part, 0) * 10 + (code - 48);
    } else if (code === DOT && part >= 0 && part <= 255) {
      number = number * 256 + part;
      part = -1;
      dots++;
    } else return readAddressKey(text);
  }
  // Numbers of more than three digits, and of other than four parts, are for the domain to judge.
  if (dots !== 4 || text.length > 15 || /\d{4}/.test(text)) return readAddressKey(text);
  return `00000000000000000000ffff${number.toString(16).padStart(8, '0')}`;
}

const DOT = 46;

function readAddressKey(text: string): string | null {
  const number = addressNumber(text);
  return number === null ? null : addressKey(number);
}

/** Comparisons that SQLite does not have, of a text with a value that is one and the same for a whole question. */
const WITH_VALUE: Readonly<Record<string, (value: string) => (text: string) => boolean>> = {
  /** The value is in lower case (`lowered`). */
  has_part: (part) => (text) => lowered(text).includes(part),
  is_under: (domain) => (text) => {
    const host = lowered(text);
    return host === domain || host.endsWith(`.${domain}`);
  },
  matches: (text) => {
    const pattern = readPattern(text);
    return (subject) => pattern.matches(subject);
  },
};

/** What does not parse is refused before it gets here. */
function readPattern(text: string): Pattern {
  const parsed = parsePattern(text);
  if (!parsed.ok) throw new Error(`not a regular expression: ${parsed.problem}`);
  return parsed.pattern;
}

type Result = string | number | null;
type Compute = (text: string) => Result;

/** What a comparison with one value is counted as, in characters: a pattern may need as many bytes. */
const VALUE_COSTS = 50_000;

/**
 * Results by text, for the same hosts and chains come again and again: looking one up takes a fraction of what it
 * takes to read JSON, find a registrable domain or run a pattern. Those of all functions of a connection are dropped
 * together when they are too many.
 */
class Kept {
  readonly #check: () => void;
  readonly #drop: (() => void)[] = [];
  #characters = 0;

  constructor(check: () => void) {
    this.#check = check;
  }

  /** The same function, with a memory. */
  remembering(compute: Compute): Compute {
    const results = new Map<string, Result>();
    this.#drop.push(() => results.clear());
    return (text) => this.#find(results, text, text.length, () => compute(text));
  }

  /** The same with a value, which is prepared once. */
  rememberingValues(prepare: (value: string) => Compute): (text: string, value: string) => Result {
    const byValue = new Map<string, { compute: Compute; results: Map<string, Result> }>();
    this.#drop.push(() => byValue.clear());
    return (text, value) => {
      const { compute, results } = this.#find(byValue, value, VALUE_COSTS, () => ({
        compute: prepare(value),
        results: new Map<string, Result>(),
      }));
      return this.#find(results, text, text.length, () => compute(text));
    };
  }

  #find<T>(among: Map<string, T>, key: string, costs: number, make: () => T): T {
    const known = among.get(key);
    if (known !== undefined) return known;
    this.#check();
    const made = make();
    this.#characters += costs;
    if (this.#characters > MAX_KEPT) {
      for (const drop of this.#drop) drop();
      this.#characters = costs;
    }
    among.set(key, made);
    return made;
  }
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Registers them. `check` is called before whatever may take long, and ends a question by throwing. */
export function addSqlFunctions(db: Sqlite, check: () => void = () => {}): void {
  const kept = new Kept(check);
  for (const [name, compute] of Object.entries(OF_TEXT)) {
    const result = kept.remembering(compute);
    db.function(name, { deterministic: true }, (text: unknown) => result(asText(text)));
  }
  db.function('address_key', { deterministic: true }, (text: unknown) => addressKeyOf(asText(text)));
  for (const [name, prepare] of Object.entries(WITH_VALUE)) {
    const result = kept.rememberingValues((value) => {
      const holds = prepare(value);
      return (text) => (holds(text) ? 1 : 0);
    });
    db.function(name, { deterministic: true }, (text: unknown, value: unknown) =>
      result(asText(text), asText(value)),
    );
  }
}
