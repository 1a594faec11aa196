import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { CodedError } from '../../src/common/errors.ts';
import { decodeV1, decodeV2, parseJson } from '../../src/master/ingest/decode.ts';
import { Merger } from '../../src/master/ingest/merger.ts';
import { ROW_ORDER, type RowArray } from '../../src/protocol/constants.ts';
import { connectionRow, unique, v1Record, v2Body } from '../support/bodies.ts';
import { checkBooks } from '../support/books.ts';
import { TestDirectory } from '../support/directory.ts';

const MINUTE = Math.floor(Date.UTC(2026, 6, 1, 12) / 60_000);
const directory = new TestDirectory();
const merger = new Merger({ path: directory.file('fuzz.db'), reserveLocal: true });
// Durability is not the subject here, and thousands of commits are.
merger.db.pragma('synchronous = OFF');
afterAll(() => {
  merger.close();
  directory.remove();
});

/** Numbers that break things, among numbers that are right. */
const odd = fc.oneof(
  { weight: 6, arbitrary: fc.nat(9) },
  { weight: 3, arbitrary: fc.nat(1_000_000) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      -1,
      1.5,
      2 ** 31,
      2 ** 32,
      2 ** 46,
      2 ** 46 + 1,
      2 ** 53 - 1,
      2 ** 53,
      1e300,
      -0,
    ),
  },
);
const minute = fc.oneof({ weight: 8, arbitrary: fc.nat(3).map((n) => MINUTE + n) }, odd);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', '\ud800', '\u0000', '__proto__', '["a"]', '{'),
);
const anything = fc.oneof({ weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown> });
const mostly = <T>(right: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 12, arbitrary: right as fc.Arbitrary<unknown> }, anything);

/** What the merge does with a body as it came: takes it, or refuses it with a code; anything else is a bug. */
function deliver(version: 'v1' | 'v2', body: string): void {
  try {
    const value = parseJson(body);
    if (version === 'v1') merger.v1(decodeV1(value), null);
    else merger.v2(decodeV2(value), null, false);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    expect(error.status).toBeGreaterThanOrEqual(400);
    expect(error.status).toBeLessThan(500);
  }
}

const v1 = fc.record({
  agent_id: mostly(fc.constantFrom('a', 'b', ' a ', 'local', '')),
  connections: mostly(
    fc.array(
      mostly(
        fc.record(
          {
            id: mostly(fc.constantFrom('c1', 'c2', 'c3', '\ud800', '\ud801', '\ufffd')),
            agent_id: mostly(fc.constantFrom(null, 'a', 'b', 'local', 'x\ud800')),
            download: mostly(odd),
            upload: mostly(odd),
            last_updated: mostly(
              fc.constantFrom('2026-07-01T12:00:00Z', '2026-07-01T20:01:00.1+08:00', '1970-01-01T00:00:00Z'),
            ),
            start: mostly(text),
            host: mostly(text),
            uid: mostly(odd),
            chains: mostly(text),
            process: mostly(text),
            conn_type: mostly(fc.constantFrom('Inner', 'HTTP')),
          },
          { requiredKeys: [] },
        ),
      ),
      { maxLength: 8 },
    ),
  ),
});

const rows: Record<RowArray, fc.Arbitrary<unknown>> = {
  runs: fc.tuple(odd, odd, odd),
  gaps: fc.tuple(odd, odd, odd, fc.constantFrom('stalled', 'core-down', 'x')),
  connections: fc
    .tuple(fc.nat(5), fc.nat(5), odd, odd, odd, fc.nat(1))
    .map(([id, value, start, down, up, counted]) =>
      connectionRow(id, value, { start, base: [down, up], counted: counted as 0 | 1 }),
    ),
  samples: fc.tuple(fc.nat(5), minute, odd, odd, odd, odd, fc.nat(4)),
  totals: fc.tuple(minute, odd, odd),
  closed: fc.tuple(fc.nat(6), odd),
  lost: fc.tuple(odd, odd, odd, odd, odd, odd, fc.constantFrom('disk-budget', 'x')),
};

const v2 = fc
  .record({
    agent_id: mostly(fc.constantFrom('a', 'b', 'c')),
    stream: mostly(fc.constantFrom('stream-1', 'stream-2', 'stream-3')),
    boot: mostly(fc.constantFrom('boot-0001', 'boot-0002')),
    strings: mostly(
      fc.uniqueArray(text, { minLength: 1, maxLength: 5 }).map((list) => ['c1', 'c2', ...list]),
    ),
    arrays: fc.record(
      Object.fromEntries(
        ROW_ORDER.map((name) => [name, fc.array(mostly(rows[name]), { maxLength: 6 })]),
      ) as Record<RowArray, fc.Arbitrary<unknown[]>>,
    ),
    fresh: fc.boolean(),
  })
  .map(({ arrays, fresh, ...envelope }) => {
    const stream = fresh ? unique('stream') : envelope.stream;
    const head =
      typeof stream === 'string' ? (heads.get(`${String(envelope.agent_id)} ${stream}`) ?? null) : null;
    const batch = unique('batch');
    if (typeof stream === 'string') heads.set(`${String(envelope.agent_id)} ${stream}`, batch);
    return v2Body('x', { ...envelope, stream, ...arrays, prev: head, batch });
  });
/** The last batch of each stream, so that most of what is made up is also merged. */
const heads = new Map<string, string>();

it('whatever is sent: never anything but an answer or a refusal, and the books balance', () => {
  let bodies = 0;
  fc.assert(
    fc.property(fc.array(fc.oneof(v1, v2), { minLength: 1, maxLength: 6 }), (list) => {
      for (const body of list) deliver('v' in body ? 'v2' : 'v1', JSON.stringify(body));
      bodies += list.length;
      if (bodies % 10 === 0) checkBooks(merger.db);
    }),
    { numRuns: 500 },
  );
  expect(checkBooks(merger.db).length).toBeGreaterThan(5);
  expect(merger.metrics.samples).toBeGreaterThan(500);
  merger.seal();
});

it('bytes flipped in a good body', () => {
  const good = [
    JSON.stringify({ agent_id: 'a', connections: [v1Record('c1', 100), v1Record('c2', 50)] }),
    JSON.stringify(
      v2Body('a', {
        strings: ['c1', ''],
        connections: [connectionRow(0, 1)],
        samples: [[0, MINUTE, 100, 10, 0, 0, 0]],
        totals: [[MINUTE, 500, 50]],
      }),
    ),
  ];
  fc.assert(
    fc.property(
      fc.nat(1),
      fc.array(fc.tuple(fc.nat(10_000), fc.constantFrom(...'0129-.eE"[]{},:\\u \u0000x')), {
        minLength: 1,
        maxLength: 4,
      }),
      (which, edits) => {
        let body = good[which] ?? '';
        for (const [at, char] of edits) {
          const place = at % body.length;
          body = body.slice(0, place) + char + body.slice(place + 1);
        }
        deliver(which === 0 ? 'v1' : 'v2', body);
      },
    ),
    { numRuns: 1500 },
  );
  checkBooks(merger.db);
});
