import fc from 'fast-check';
import { FILTER_FIELDS, type FilterField, OPERATORS_OF } from './fields.ts';
import type { Filter, Operator, Test } from './tree.ts';

/** Texts of all kinds, and those that look like something else. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 12 }),
  fc.constantFrom('and', 'in', 'a b', 'under', '"', '\\', '-', '名'),
);
const number = fc.integer({ min: 0, max: 70_000 }).map(String);
const address = fc.oneof(fc.ipV4(), fc.ipV6());
const pattern = fc.constantFrom('a|b', '^x[^y]+$', '(?i)ÄÖ', '\\.com$', '\\d{1,3}', '"\\\\');

/** What can be compared with a field by an operator. */
export type ValuesOf = (field: FilterField, op: Operator) => fc.Arbitrary<string>;

const anyValue: ValuesOf = (field, op) => {
  switch (field.type) {
    case 'closed':
      return field.values === undefined ? text : fc.constantFrom(...field.values);
    case 'address':
      return op === 'under' ? fc.tuple(fc.ipV4(), fc.nat(32)).map(([ip, bits]) => `${ip}/${bits}`) : address;
    case 'number':
      return number;
    case 'bytes':
      return number.map((n) => `${n}MiB`);
    case 'rate':
      return number.map((n) => `${n}kB/s`);
    case 'duration':
      return number.map((n) => `${n}m`);
    case 'time':
      return fc.constantFrom(
        '2026-11-01',
        '2026-11-01T08:00',
        '2026-11-01T08:00:00Z',
        '2026-11-01T08:00:00.5+02:00',
      );
    default:
      if (op === '=~') return pattern;
      return op === '=' ? text : text.map((one) => `x${one}`);
  }
};

/** Trees of all fields given, with every operator that they have. */
export function filters(
  fields: readonly FilterField[] = FILTER_FIELDS,
  { words = text, values = anyValue }: { words?: fc.Arbitrary<string>; values?: ValuesOf } = {},
): fc.Arbitrary<Filter> {
  const test = fc.constantFrom(...fields).chain((field) =>
    fc.constantFrom(...OPERATORS_OF[field.type]).chain((op): fc.Arbitrary<Test> => {
      const count = { minLength: 1, maxLength: op === 'in' || op === 'not in' ? 3 : 1 };
      const given =
        op === 'empty' || op === 'not empty' ? fc.constant([]) : fc.array(values(field, op), count);
      return given.map((found) => ({ kind: 'test', field: field.name, op, values: found }));
    }),
  );
  const word = words.filter((one) => one !== '').map((one): Filter => ({ kind: 'word', text: one }));
  return fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      { weight: 4, arbitrary: test },
      { weight: 1, arbitrary: word },
      { weight: 2, arbitrary: tie('filter').map((of): Filter => ({ kind: 'not', of })) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.constantFrom('and', 'or'), fc.array(tie('filter'), { minLength: 2, maxLength: 4 }))
          .map(
            ([kind, parts]): Filter => ({
              kind: kind as 'and' | 'or',
              parts: parts.flatMap((part) => (part.kind === kind ? part.parts : [part])),
            }),
          ),
      },
    ),
  })).filter;
}

export function countTests(of: Filter): number {
  if (of.kind === 'and' || of.kind === 'or') return of.parts.reduce((sum, part) => sum + countTests(part), 0);
  return of.kind === 'not' ? countTests(of.of) : 1;
}

const pieces = fc.constantFrom(
  ...['host', 'age', 'and', 'or', 'not', 'in', 'is', 'empty', 'under', '(', ')', ',', '"', '\\', '='],
  ...['!=', '~', '=~', '<', '10.0.0.0/8', '5GiB', 'x', '\ud800', '\u0000', ' ', '%', '名', 'route', 'prxied'],
);

/** What people type who know the language, and what those send who do not. */
export const noise: fc.Arbitrary<string> = fc.oneof(
  { weight: 10, arbitrary: fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')) },
  { weight: 10, arbitrary: fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(' ')) },
  { weight: 10, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  // As long as a filter may be, and longer: repeated, for to draw each piece takes longer than to read them all.
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.array(pieces, { minLength: 1, maxLength: 20 }), fc.integer({ min: 100, max: 4200 }))
      .map(([parts, length]) => `${parts.join(' ')} `.repeat(length).slice(0, length)),
  },
);
