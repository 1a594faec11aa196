import { Value } from '@sinclair/typebox/value';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_INTEGER, REJECT_CODES, ROW_ORDER } from '../../protocol/constants.ts';
import { SyncAnswer } from '../../protocol/v2.ts';
import { isSyncAnswer } from './answer.ts';

const GOOD = {
  ok: true,
  head_before: 'abcDEF09_-',
  accepted: 2,
  rejected: [
    ['samples', 0, 'too-old'],
    ['runs', 7, 'malformed'],
  ],
  server_time: 1_750_000_000_000,
  limits: { rows: 5000, bytes: 8_388_608 },
};

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every place in a value, as the keys that lead there. */
function places(value: unknown, way: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [way];
  return [way, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...way, key]))];
}

/** A copy with something else at one place; `undefined` takes it away. */
function changed(way: readonly string[], other: Json | undefined): unknown {
  const [last, ...before] = way.toReversed();
  if (last === undefined) return other;
  const copy = structuredClone(GOOD) as unknown as Json;
  let inner = copy as { [key: string]: Json };
  for (const key of before.toReversed()) inner = inner[key] as { [key: string]: Json };
  if (other !== undefined) inner[last] = other;
  else if (Array.isArray(inner)) inner.splice(Number(last), 1);
  else delete inner[last];
  return copy;
}

/** Values at the borders of what the schema allows somewhere. */
const EDGES: Json[] = [
  ...[null, true, false, '', {}, [], -1, -0, 0, 0.5, 1, MAX_INTEGER, MAX_INTEGER + 1, 1e308],
  ...[
    'x'.repeat(7),
    'x'.repeat(8),
    'x'.repeat(64),
    'x'.repeat(65),
    'with space',
    'line\nline',
    'line-line\n',
  ],
  ...['umlaut-ä', '0', 'toString', ...ROW_ORDER, ...REJECT_CODES],
  ...ROW_ORDER.map((name): Json => [name, 0, 'malformed']),
  [['samples', 0, 'too-old', 1]],
  [['samples', 0]],
  [[]],
  { rows: 1 },
  { rows: 1, bytes: 1, more: 1 },
  ['rows', 'bytes'],
];

describe('an answer of a master', () => {
  it.each([
    ['as it is', GOOD],
    ['of a master that has nothing of this agent', { ...GOOD, head_before: null, rejected: [] }],
    ['with more than is known today', { ...GOOD, hint: 'x', limits: { ...GOOD.limits, strings: 5 } }],
  ])('%s', (_, answer) => {
    expect(isSyncAnswer(answer)).toBe(true);
    expect(Value.Check(SyncAnswer, answer)).toBe(true);
  });

  it('is none without any one of its parts', () => {
    const parts = places(GOOD).filter(
      (way) => way.length > 0 && !(way[0] === 'rejected' && way.length === 2),
    );
    for (const way of parts) expect(isSyncAnswer(changed(way, undefined)), way.join('.')).toBe(false);
  });

  it('is the same to the agent as to the schema, whatever stands at any place', () => {
    for (const way of places(GOOD)) {
      for (const other of EDGES) {
        const answer = changed(way, other);
        expect(isSyncAnswer(answer), JSON.stringify(answer)).toBe(Value.Check(SyncAnswer, answer));
      }
    }
  });

  it('is the same to the agent as to the schema, whatever JSON comes', () => {
    const rejected = fc.tuple(
      fc.constantFrom(...ROW_ORDER, 'Samples'),
      fc.oneof(fc.integer(), fc.constant(0.5)),
      fc.constantFrom(...REJECT_CODES, 'odd'),
    );
    const other = fc.oneof(fc.jsonValue(), fc.constantFrom(...EDGES), rejected, fc.tuple(rejected, rejected));
    fc.assert(
      fc.property(
        fc.constantFrom(...places(GOOD)),
        fc.constantFrom(...places(GOOD)),
        other,
        other,
        (a, b, x, y) => {
          const once = changed(a, x as Json);
          expect(isSyncAnswer(once)).toBe(Value.Check(SyncAnswer, once));
          if (a.length === 0 || a[0] === b[0]) return;
          const twice = { ...(once as object), [b[0] ?? 'ok']: y };
          expect(isSyncAnswer(twice)).toBe(Value.Check(SyncAnswer, twice));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
