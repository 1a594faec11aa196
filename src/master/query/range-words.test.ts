import { describe, expect, it } from 'vitest';
import { RANGE_WORDS, type RangeWord, rangeOf } from './range-words.ts';

const at = (text: string): number => Date.parse(text);
const shown = (word: RangeWord, zone: string, now: string): string[] => {
  const { from, to } = rangeOf(word, zone, at(now));
  return [from, to].map((ms) => new Date(ms).toISOString().replace(':00.000Z', 'Z'));
};

describe('a word for a range', () => {
  it.each([
    ['15m', 15],
    ['1h', 60],
    ['6h', 360],
    ['24h', 1440],
    ['7d', 7 * 1440],
    ['30d', 30 * 1440],
    ['90d', 90 * 1440],
    ['1y', 365 * 1440],
  ] as const)('%s is %i minutes, the running one included, in every zone and on any day', (word, minutes) => {
    for (const zone of ['UTC', 'Europe/Berlin', 'Asia/Kathmandu']) {
      // The day after clocks were set back in Berlin.
      const { from, to } = rangeOf(word, zone, at('2026-10-26T08:07:31.250Z'));
      expect(to).toBe(at('2026-10-26T08:08:00Z'));
      expect(to - from).toBe(minutes * 60_000);
    }
  });

  // 2026-11-01 is a Sunday.
  it.each([
    ['today', 'UTC', '2026-11-01T08:07:31Z', '2026-11-01T00:00Z', '2026-11-01T08:08Z'],
    ['today', 'America/New_York', '2026-11-01T03:00:00Z', '2026-10-31T04:00Z', '2026-11-01T03:00Z'],
    // Clocks were set back at 06:00 UTC: the day has 25 hours.
    ['yesterday', 'America/New_York', '2026-11-02T12:00:00Z', '2026-11-01T04:00Z', '2026-11-02T05:00Z'],
    ['yesterday', 'Europe/Berlin', '2026-03-30T12:00:00Z', '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
    ['yesterday', 'Asia/Kathmandu', '2026-11-02T12:00:00Z', '2026-10-31T18:15Z', '2026-11-01T18:15Z'],
    ['week', 'UTC', '2026-11-01T08:00:00Z', '2026-10-26T00:00Z', '2026-11-01T08:00Z'],
    ['week', 'Asia/Tehran', '2026-11-01T20:31:00Z', '2026-11-01T20:30Z', '2026-11-01T20:31Z'],
    ['week', 'Europe/Berlin', '2026-10-26T08:00:00Z', '2026-10-25T23:00Z', '2026-10-26T08:00Z'],
    ['month', 'UTC', '2026-11-30T23:59:59Z', '2026-11-01T00:00Z', '2026-12-01T00:00Z'],
    ['month', 'Asia/Kolkata', '2026-10-31T18:30:01Z', '2026-10-31T18:30Z', '2026-10-31T18:31Z'],
    ['month', 'America/Havana', '2026-11-10T00:00:00Z', '2026-11-01T04:00Z', '2026-11-10T00:00Z'],
  ] as const)('%s in %s at %s', (word, zone, now, from, to) => {
    expect(shown(word, zone, now)).toEqual([from, to]);
  });

  it('holds the present, and at least a minute, even in the first instant of a period', () => {
    for (const word of RANGE_WORDS) {
      for (const zone of ['UTC', 'Africa/Cairo', 'Australia/Lord_Howe']) {
        for (const now of ['2026-06-01T00:00:00Z', '2026-04-23T22:00:00Z', '2026-10-31T13:00:00.001Z']) {
          const { from, to } = rangeOf(word, zone, at(now));
          expect(to - from).toBeGreaterThanOrEqual(60_000);
          if (word !== 'yesterday') expect(to).toBeGreaterThanOrEqual(at(now));
        }
      }
    }
  });
});
