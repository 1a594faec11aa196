import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FILTER_FIELDS, type FilterField, OPERATORS_OF } from './fields.ts';
import { parseFilter } from './parser.ts';
import { printFilter } from './print.ts';
import type { Filter, Operator, Test } from './tree.ts';

const SCOPE = { of: 'connections' } as const;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 12 }),
  fc.constantFrom('and', 'in', 'a b'),
);
const address = fc.oneof(fc.ipV4(), fc.ipV6());
const number = fc.integer({ min: 0, max: 70_000 }).map(String);

function value(field: FilterField, op: Operator): fc.Arbitrary<string> {
  switch (field.type) {
    case 'closed':
      return field.values === undefined ? text : fc.constantFrom(...field.values);
    case 'address':
      return op === 'under' ? fc.ipV4().map((ip) => `${ip}/16`) : address;
    case 'number':
      return number;
    case 'bytes':
      return number.map((n) => `${n}MiB`);
    case 'rate':
      return number.map((n) => `${n}kB/s`);
    case 'duration':
      return number.map((n) => `${n}m`);
    case 'time':
      return fc.constantFrom('2026-11-01T08:00:00Z', '2026-11-01T08:00:00+02:00');
    case 'host':
    case 'text':
      return op === '=' ? text : text.map((one) => `x${one}`);
  }
}

const test = fc.constantFrom(...FILTER_FIELDS).chain((field) =>
  fc.constantFrom(...OPERATORS_OF[field.type]).chain((op) => {
    const count =
      op === 'in' || op === 'not in' ? { minLength: 1, maxLength: 3 } : { minLength: 1, maxLength: 1 };
    const values = op === 'empty' || op === 'not empty' ? fc.constant([]) : fc.array(value(field, op), count);
    return values.map((found): Test => ({ kind: 'test', field: field.name, op, values: found }));
  }),
);

const filter = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.oneof(
      test,
      text.map((one): Filter => ({ kind: 'word', text: one })),
    ),
    tie('filter').map((of): Filter => ({ kind: 'not', of })),
    fc.tuple(fc.constantFrom('and', 'or'), fc.array(tie('filter'), { minLength: 2, maxLength: 4 })).map(
      ([kind, parts]): Filter => ({
        kind: kind as 'and' | 'or',
        parts: parts.flatMap((part) => (part.kind === kind ? part.parts : [part])),
      }),
    ),
  ),
})).filter;

function tests(of: Filter): number {
  if (of.kind === 'and' || of.kind === 'or') return of.parts.reduce((sum, part) => sum + tests(part), 0);
  return of.kind === 'not' ? tests(of.of) : 1;
}

describe('the filter language', () => {
  it('reads what it prints as the same tree', () => {
    const property = fc.property(filter, (tree) => {
      fc.pre(tests(tree) <= 64 && printFilter(tree).length <= 4096);
      const parsed = parseFilter(printFilter(tree), SCOPE);
      expect(parsed).toEqual({ ok: true, filter: tree });
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('never throws, and says where what is wrong stands', () => {
    const pieces = fc.constantFrom(
      ...['host', 'age', 'and', 'or', 'not', 'in', 'is', 'empty', 'under', '(', ')', ',', '"', '\\', '='],
      ...['!=', '~', '<', '10.0.0.0/8', '5GiB', 'x', '\ud800', '\u0000', ' ', '%', '名'],
    );
    const noise = fc.oneof(
      fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
      fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(' ')),
      fc.string({ unit: 'binary', maxLength: 200 }),
    );
    const property = fc.property(noise, (given) => {
      const parsed = parseFilter(given, SCOPE);
      if (parsed.ok) {
        if (parsed.filter === null) return;
        expect(parseFilter(printFilter(parsed.filter), SCOPE)).toEqual(parsed);
        return;
      }
      expect(parsed.errors.length).toBeGreaterThan(0);
      for (const { at, problem, hint } of parsed.errors) {
        expect(at[0]).toBeGreaterThanOrEqual(0);
        expect(at[1]).toBeGreaterThanOrEqual(at[0]);
        expect(at[1]).toBeLessThanOrEqual(given.length);
        expect(problem.length * hint.length).toBeGreaterThan(0);
      }
    });
    fc.assert(property, { numRuns: 20_000 });
  });
});
