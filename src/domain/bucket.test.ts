import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MINUTE_MS, minuteOf, splitOverMinutes, stepFor } from './bucket.ts';

const T = Date.UTC(2026, 5, 1, 12, 30);
const spans = fc
  .record({
    bytes: fc.integer({ min: 0, max: 2 ** 46 }),
    from: fc.integer({ min: T, max: T + 10 * 86_400_000 }),
    length: fc.oneof(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 0, max: 40 * 86_400_000 })),
  })
  .map(({ bytes, from, length }) => ({ bytes, from, to: from + length }));

/** The seed of a run is part of its failure: fast-check prints it, and `seed` replays it. */
const check = <T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void) =>
  fc.assert(fc.property(arbitrary, predicate), {
    numRuns: Number(process.env.PROPERTY_RUNS ?? 300),
    verbose: true,
  });

describe('bytes split over minutes (A9)', () => {
  it('sum to what there was, each share whole and none negative', () => {
    check(spans, ({ bytes, from, to }) => {
      const shares = splitOverMinutes(bytes, from, to, stepFor(minuteOf(to) - minuteOf(from)));
      expect(shares.reduce((sum, share) => sum + share.bytes, 0)).toBe(bytes);
      for (const share of shares) expect(Number.isSafeInteger(share.bytes) && share.bytes >= 0).toBe(true);
    });
  });

  it('lie in order, within the interval, each minute once', () => {
    check(spans, ({ bytes, from, to }) => {
      const minutes = splitOverMinutes(bytes, from, to, stepFor(minuteOf(to) - minuteOf(from))).map(
        (share) => share.minute,
      );
      for (let i = 1; i < minutes.length; i++) expect(minutes[i]).toBeGreaterThan(minutes[i - 1] ?? 0);
      expect(minutes[0]).toBeGreaterThanOrEqual(minuteOf(from));
      expect(minutes.at(-1)).toBe(to > from ? minuteOf(to - 1) : minuteOf(to));
      expect(minutes.length).toBeLessThanOrEqual(245);
    });
  });

  it('are in proportion to time, to a byte', () => {
    check(spans, ({ bytes, from, to }) => {
      const step = stepFor(minuteOf(to) - minuteOf(from));
      let sum = 0;
      const shares = splitOverMinutes(bytes, from, to, step);
      for (const share of shares.slice(0, -1)) {
        sum += share.bytes;
        const end = (share.minute + 1) * MINUTE_MS;
        expect(Math.abs(sum - (bytes * (end - from)) / (to - from))).toBeLessThanOrEqual(1.1);
      }
    });
  });

  it('have the same borders for any part of an interval, so that totals and connections agree', () => {
    check(fc.tuple(spans, fc.double({ min: 0, max: 1, noNaN: true })), ([{ bytes, from, to }, part]) => {
      const step = stepFor(minuteOf(to) - minuteOf(from));
      const whole = new Set(splitOverMinutes(bytes, from, to, step).map((share) => share.minute));
      // A part of no length at all has no minutes before it: it lies in that of its instant.
      const later = Math.max(from, Math.min(to - 1, Math.floor(from + (to - from) * part)));
      for (const share of splitOverMinutes(bytes, later, to, step))
        expect(whole.has(share.minute)).toBe(true);
    });
  });

  it('an instant, and an interval that ends on a border, have one share', () => {
    expect(splitOverMinutes(7, T, T)).toEqual([{ minute: T / MINUTE_MS, bytes: 7 }]);
    expect(splitOverMinutes(7, T, T + MINUTE_MS)).toEqual([{ minute: T / MINUTE_MS, bytes: 7 }]);
  });
});

describe('the step of a gap', () => {
  it.each([
    [0, 1],
    [120, 1],
    [121, 30],
    [7200, 30],
    [7201, 60],
    [50_000, 210],
  ])('of %d minutes is %d', (minutes, step) => {
    expect(stepFor(minutes)).toBe(step);
  });
});
