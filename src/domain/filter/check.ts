import { nearestWord } from '../nearest.ts';
import {
  FILTER_FIELDS,
  type FilterField,
  type FilterSubject,
  filterField,
  nearestField,
  OPERATORS_OF,
  unknownOf,
} from './fields.ts';
import type { Token } from './lexer.ts';
import type { FilterError, Operator, Span, Test } from './tree.ts';
import { problemOf } from './values.ts';

export interface FilterScope {
  readonly of: FilterSubject;
  /** Values of closed sets that the data has (agents, networks); what is not given is not checked. */
  readonly known?: Readonly<Record<string, readonly string[]>>;
}

/** Texts with more mistakes than that get no further suggestions: to look for one among many values takes time. */
const MAX_SUGGESTIONS = 8;
const SOME_VALUES = 20;
export const ALL_FIELDS = `fields are ${FILTER_FIELDS.map((field) => field.name).join(', ')}`;

export interface CheckedTest {
  /** Null where anything is wrong. */
  readonly test: Test | null;
  readonly errors: readonly FilterError[];
}

/** Whether the tests of one text mean something: fields, their operators, their values. */
export class Checks {
  readonly #scope: FilterScope;
  #suggestions = 0;

  constructor(scope: FilterScope) {
    this.#scope = scope;
  }

  test(name: Token, op: { name: Operator; at: Span }, values: readonly Token[]): CheckedTest {
    const field = filterField(name.text);
    if (field === undefined) {
      const hint = this.#suggest(() => nearestField(name.text)) ?? ALL_FIELDS;
      const problem = `there is no field ${JSON.stringify(name.text)}`;
      return { test: null, errors: [{ at: name.at, problem, hint }] };
    }
    const errors: FilterError[] = [];
    const unknown = unknownOf(field, this.#scope.of);
    if (unknown !== undefined) errors.push({ at: name.at, ...unknown });
    const allowed = OPERATORS_OF[field.type];
    if (allowed.includes(op.name)) {
      for (const value of values) errors.push(...this.#value(field, op.name, value));
    } else {
      const problem = `${field.name} has no operator "${op.name}"`;
      errors.push({ at: op.at, problem, hint: `it has ${allowed.join(', ')}` });
    }
    if (errors.length > 0) return { test: null, errors };
    const texts = values.map((value) => value.text);
    return { test: { kind: 'test', field: field.name, op: op.name, values: texts }, errors };
  }

  #value(field: FilterField, op: Operator, value: Token): FilterError[] {
    const known = field.values ?? (field.type === 'closed' ? this.#scope.known?.[field.name] : undefined);
    if (known !== undefined && !known.includes(value.text)) {
      const near = this.#suggest(() => nearestWord(value.text, known));
      const some = known.filter((one) => one !== '').slice(0, SOME_VALUES);
      const hint = near ?? `there is ${some.join(', ')}${known.length > SOME_VALUES ? ', …' : ''}`;
      return [{ at: value.at, problem: `${field.name} is never ${JSON.stringify(value.text)}`, hint }];
    }
    const problem = problemOf(field, op, value.text);
    if (problem === undefined) return [];
    return [{ at: value.at, problem: `${JSON.stringify(value.text)} ${problem}`, hint: hintOf(field, op) }];
  }

  #suggest(find: () => string | undefined): string | undefined {
    if (++this.#suggestions > MAX_SUGGESTIONS) return undefined;
    const found = find();
    return found === undefined ? undefined : `do you mean ${found}?`;
  }
}

/** How a value would be right. */
function hintOf(field: FilterField, op: Operator): string {
  if (op === '=~') return 'RE2 without \\p and named groups; "~" finds a plain part, ignoring case';
  if (op === '~' || op === '!~') return `for example: ${field.name} ${op} example`;
  return {
    address:
      op === 'under'
        ? 'for example: 192.168.0.0/16 or fd00::/8'
        : 'for example: 10.0.0.1, or 10.0.0.1-10.0.0.9',
    number: 'for example: 443, or 8000-8999',
    bytes: 'units are kB, MB, GB, TB and KiB, MiB, GiB, TiB',
    rate: 'units are kB/s, MB/s, KiB/s, MiB/s and so on',
    duration: 'units are s, m, h, d',
    time: 'for example: 2026-11-01, 2026-11-01T08:00 or 2026-11-01T08:00:00Z',
    host: `for example: ${field.name} under example.com`,
    text: 'for example: "two words"',
    closed: 'for example: tcp',
  }[field.type];
}
