import { describe, expect, it } from 'vitest';
import { drawPhase, holdsRunningMinute, untilNext } from './pace.ts';

const T = Date.UTC(2026, 5, 1, 12, 30);

describe('the next sync', () => {
  it('of intervals below a minute comes after the interval, and shows the running minute', () => {
    expect(untilNext(10_000, T + 3, 7000)).toBe(10_000);
    expect(untilNext(90_000, T + 3, 7000)).toBe(90_000);
    expect(holdsRunningMinute(59_000)).toBe(false);
  });

  it('of whole minutes comes at the phase of a minute', () => {
    for (const interval of [60_000, 120_000, 300_000]) {
      for (let now = T; now < T + 120_000; now += 777) {
        const wait = untilNext(interval, now, 7000);
        expect((now + wait - T) % 60_000).toBeCloseTo(7000, 5);
        expect(wait).toBeGreaterThanOrEqual(30_000);
        expect(Math.abs(wait - interval)).toBeLessThanOrEqual(30_000);
      }
    }
  });

  it('is not made twice in a row by a timer that fires early', () => {
    expect(untilNext(60_000, T + 6999, 7000)).toBe(60_001);
    expect(untilNext(60_000, T + 7001, 7000)).toBe(59_999);
  });

  it('is spread over a third of the minute, after its first snapshots', () => {
    expect([drawPhase(() => 0), drawPhase(() => 1)]).toEqual([5000, 25_000]);
  });
});
