import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimatePoints, parseInterval, pointStarts, smallestThatFits } from './interval.ts';
import { formatIn, offsetAt } from './zone.ts';

const minute = (text: string) => Date.parse(text) / 60_000;

/** Local starts and lengths in minutes of the points of an interval. */
function points(zone: string, interval: string, from: string, to: string): string[] {
  const parsed = parseInterval(interval);
  if (!parsed) throw new Error(interval);
  const starts = pointStarts(parsed, zone, minute(from), minute(to));
  return starts.map((start, index) => {
    const local = formatIn(zone, start).slice(5, 16);
    return `${local} ${(starts[index + 1] ?? minute(to)) - start}`;
  });
}

describe('parseInterval', () => {
  it.each([
    ['minute', 1],
    ['hour', 60],
    ['day', 1440],
    ['week', 10_080],
    ['5m', 5],
    ['90m', 90],
    ['6h', 360],
    ['2d', 2880],
    ['4w', 40_320],
  ])('%s is %i minutes', (text, minutes) => {
    expect(parseInterval(text)).toEqual({ unit: 'minutes', minutes });
  });

  it('takes months', () => expect(parseInterval('month')).toEqual({ unit: 'month' }));

  it.each([
    '',
    '0m',
    '7m',
    '5h',
    '25h',
    '1M',
    '-5m',
    '5 m',
    'hours',
    '1y',
    '1.5h',
    '1000m',
    'toString',
    '__proto__',
  ])('%j is none', (text) => expect(parseInterval(text)).toBeNull());
});

describe('points on the clock of a wall', () => {
  it('Berlin: the day on which clocks go back has 25 hours, each its own', () => {
    const hours = points('Europe/Berlin', 'hour', '2026-10-24T22:00Z', '2026-10-25T23:00Z');
    expect(hours).toHaveLength(25);
    expect(hours.slice(1, 5)).toEqual([
      '10-25T01:00 60',
      '10-25T02:00 60',
      '10-25T02:00 60',
      '10-25T03:00 60',
    ]);
    expect(points('Europe/Berlin', 'day', '2026-10-23T22:00Z', '2026-10-26T23:00Z')).toEqual([
      '10-24T00:00 1440',
      '10-25T00:00 1500',
      '10-26T00:00 1440',
    ]);
  });

  it('Berlin: quarters of a day keep to the clock when it goes forward', () => {
    expect(points('Europe/Berlin', '6h', '2026-03-28T23:00Z', '2026-03-29T22:00Z')).toEqual([
      '03-29T00:00 300',
      '03-29T06:00 360',
      '03-29T12:00 360',
      '03-29T18:00 360',
    ]);
  });

  it('Berlin: ISO weeks begin on Mondays, months on their firsts', () => {
    expect(points('Europe/Berlin', 'week', '2026-10-21T12:00Z', '2026-11-01T23:00Z')).toEqual([
      '10-19T00:00 10140',
      '10-26T00:00 10080',
    ]);
    expect(points('Europe/Berlin', 'month', '2026-02-10T12:00Z', '2026-04-30T22:00Z')).toEqual([
      '02-01T00:00 40320',
      '03-01T00:00 44580',
      '04-01T00:00 43200',
    ]);
  });

  it('São Paulo: a day without a midnight begins at one', () => {
    expect(points('America/Sao_Paulo', 'day', '2018-11-03T03:00Z', '2018-11-06T02:00Z')).toEqual([
      '11-03T00:00 1440',
      '11-04T01:00 1380',
      '11-05T00:00 1440',
    ]);
    expect(points('America/Sao_Paulo', 'day', '2019-02-15T02:00Z', '2019-02-18T03:00Z')).toEqual([
      '02-15T00:00 1440',
      '02-16T00:00 1500',
      '02-17T00:00 1440',
    ]);
  });

  it('Kathmandu: hours begin at a quarter past those of UTC', () => {
    expect(points('Asia/Kathmandu', 'hour', '2026-04-04T11:15Z', '2026-04-04T13:15Z')).toEqual([
      '04-04T17:00 60',
      '04-04T18:00 60',
    ]);
    expect(points('Asia/Kathmandu', 'day', '2026-04-03T18:15Z', '2026-04-04T18:15Z')).toEqual([
      '04-04T00:00 1440',
    ]);
  });

  it('Tehran: the last day with summer time had 25 hours', () => {
    expect(points('Asia/Tehran', 'day', '2022-09-19T19:30Z', '2022-09-22T20:30Z')).toEqual([
      '09-20T00:00 1440',
      '09-21T00:00 1500',
      '09-22T00:00 1440',
    ]);
  });

  it('Lord Howe: clocks change by half an hour', () => {
    expect(points('Australia/Lord_Howe', 'hour', '2026-04-04T13:00Z', '2026-04-04T17:30Z')).toEqual([
      '04-05T00:00 60',
      '04-05T01:00 90',
      '04-05T02:00 60',
      '04-05T03:00 60',
    ]);
    expect(points('Australia/Lord_Howe', 'hour', '2026-10-03T14:30Z', '2026-10-03T17:00Z')).toEqual([
      '10-04T01:00 60',
      '10-04T02:30 30',
      '10-04T03:00 60',
    ]);
    expect(points('Australia/Lord_Howe', '30m', '2026-04-04T14:00Z', '2026-04-04T16:00Z')).toEqual([
      '04-05T01:00 30',
      '04-05T01:30 30',
      '04-05T01:30 30',
      '04-05T02:00 30',
    ]);
  });

  it('a midnight that is repeated, or passed and left again, makes no second day', () => {
    expect(points('America/Havana', 'day', '2026-10-31T04:00Z', '2026-11-03T05:00Z')).toEqual([
      '10-31T00:00 1440',
      '11-01T00:00 1500',
      '11-02T00:00 1440',
    ]);
    expect(points('America/St_Johns', 'day', '2010-11-06T02:30Z', '2010-11-09T03:30Z')).toEqual([
      '11-06T00:00 1440',
      '11-07T00:00 1500',
      '11-08T00:00 1440',
    ]);
  });

  it('Apia: a date that was left out is left out', () => {
    expect(points('Pacific/Apia', 'day', '2011-12-29T10:00Z', '2011-12-31T10:00Z')).toEqual([
      '12-29T00:00 1440',
      '12-31T00:00 1440',
    ]);
  });

  it('begins at or before the range and is as many as estimated, or one more', () => {
    const zones = fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'Asia/Kathmandu',
      'America/Havana',
      'Australia/Lord_Howe',
    );
    const intervals = fc.constantFrom('5m', '30m', 'hour', '6h', 'day', '3d', 'week', '2w', 'month');
    const start = fc.integer({ min: minute('2005-01-01T00:00Z'), max: minute('2030-01-01T00:00Z') });
    fc.assert(
      fc.property(
        zones,
        intervals,
        start,
        fc.integer({ min: 1, max: 20_000 }),
        (zone, text, from, length) => {
          const interval = parseInterval(text);
          if (!interval) throw new Error(text);
          const starts = pointStarts(interval, zone, from, from + length);
          expect(starts[0]).toBeLessThanOrEqual(from);
          expect(
            starts.every((at, index) => index === 0 || (at > from && at > (starts[index - 1] ?? 0))),
          ).toBe(true);
          expect(starts.at(-1)).toBeLessThan(from + length);
          expect(Math.abs(starts.length - estimatePoints(interval, from, from + length))).toBeLessThanOrEqual(
            14,
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});

it('names the smallest interval that fits', () => {
  const year = 365 * 1440;
  expect(smallestThatFits(0, 40_000, 50_000)).toBe('1m');
  expect(smallestThatFits(0, year, 50_000)).toBe('15m');
  expect(smallestThatFits(0, 60 * year, 50_000)).toBe('day');
  expect(smallestThatFits(0, 9000 * year, 50_000)).toBeNull();
});

it('writes times with the offset of the zone', () => {
  const at = minute('2026-07-01T00:00Z');
  expect(formatIn('UTC', at)).toBe('2026-07-01T00:00:00Z');
  expect(formatIn('Asia/Kathmandu', at)).toBe('2026-07-01T05:45:00+05:45');
  expect(formatIn('America/St_Johns', at)).toBe('2026-06-30T21:30:00-02:30');
  expect(offsetAt('Europe/Berlin', at)).toBe(120);
});
