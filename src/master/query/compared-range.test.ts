import { expect, it } from 'vitest';
import { previousRange } from './compared-range.ts';
import { formatIn } from './zone.ts';

const minute = (text: string) => Date.parse(text) / 60_000;

/** The period before, in local time. */
function before(zone: string, from: string, to: string): string[] {
  const previous = previousRange({ from: minute(from), to: minute(to) }, zone);
  return [formatIn(zone, previous.from), formatIn(zone, previous.to)];
}

it('is as long, where the range does not consist of days', () => {
  expect(before('Europe/Berlin', '2026-10-25T02:00+02:00', '2026-10-25T02:00+01:00')).toEqual([
    '2026-10-25T01:00:00+02:00',
    '2026-10-25T02:00:00+02:00',
  ]);
});

it('has as many days, however long they are', () => {
  // The Sunday on which clocks go back has 25 hours.
  expect(before('Europe/Berlin', '2026-10-25T00:00+02:00', '2026-10-26T00:00+01:00')).toEqual([
    '2026-10-24T00:00:00+02:00',
    '2026-10-25T00:00:00+02:00',
  ]);
  expect(before('Europe/Berlin', '2026-10-26T00:00+01:00', '2026-10-27T00:00+01:00')).toEqual([
    '2026-10-25T00:00:00+02:00',
    '2026-10-26T00:00:00+01:00',
  ]);
  expect(before('Europe/Berlin', '2026-03-30T00:00+02:00', '2026-04-06T00:00+02:00')).toEqual([
    '2026-03-23T00:00:00+01:00',
    '2026-03-30T00:00:00+02:00',
  ]);
});

it('is of days in a zone of quarters', () => {
  expect(before('Asia/Kathmandu', '2026-04-03T18:15Z', '2026-04-05T18:15Z')).toEqual([
    '2026-04-02T00:00:00+05:45',
    '2026-04-04T00:00:00+05:45',
  ]);
});
