import { expect, it } from 'vitest';
import { clockOffset, readVersion, takesInterval } from './core-version.ts';
import { chooseInterval } from './sampling.ts';

it.each([
  [0, 250],
  [300, 250],
  [301, 500],
  [600, 500],
  [601, 1000],
  [5000, 1000],
  [5001, 2000],
  [100_000, 2000],
])('%i connections growing are sampled every %i ms', (count, ms) => {
  expect(chooseInterval(count, 250)).toBe(ms);
});

it('takes a faster interval with some room only', () => {
  expect(chooseInterval(290, 500)).toBe(500);
  expect(chooseInterval(240, 500)).toBe(250);
  expect(chooseInterval(4500, 2000)).toBe(2000);
  expect(chooseInterval(4000, 2000)).toBe(1000);
  expect(chooseInterval(0, 2000)).toBe(250);
});

it('settles: the choice for a choice is itself', () => {
  for (let count = 0; count < 8000; count += 7) {
    for (const current of [250, 500, 1000, 2000]) {
      const chosen = chooseInterval(count, current);
      expect(chooseInterval(count, chosen)).toBe(chosen);
    }
  }
});

it.each([
  ['{"meta":true,"version":"v1.19.31"}', 'v1.19.31', 'mihomo'],
  ['{"meta":true,"version":"alpha-e26714a"}', 'alpha-e26714a', 'mihomo'],
  ['{"meta":true,"premium":true,"version":"sing-box 1.14.2"}', 'sing-box 1.14.2', 'sing-box'],
  ['{"meta":false,"version":"v0.10.8"}', 'v0.10.8', 'other'],
  ['{"premium":true,"version":"2023.08.17"}', '2023.08.17', 'other'],
  ['<html>', '', 'other'],
  ['null', '', 'other'],
  ['{"version":7}', '', 'other'],
])('knows %s', (body, version, kind) => {
  expect(readVersion(Buffer.from(body))).toEqual({ version, kind });
  expect(takesInterval(readVersion(Buffer.from(body)).kind)).toBe(kind !== 'other');
});

it('derives the clock offset from a Date of whole seconds', () => {
  const at = Date.parse('2026-07-01T00:00:10Z');
  const date = 'Wed, 01 Jul 2026 00:00:10 GMT';
  expect(clockOffset(date, at + 300, at + 320)).toBe(0);
  expect(clockOffset(date, at - 100, at + 10)).toBe(0);
  expect(clockOffset(date, at - 90_000, at - 89_980)).toBeCloseTo(90_490, -2);
  expect(clockOffset(date, at + 90_000, at + 90_020)).toBeCloseTo(-89_510, -2);
  expect(clockOffset(undefined, 1, 2)).toBe(0);
  expect(clockOffset('yesterday', 1, 2)).toBe(0);
});
