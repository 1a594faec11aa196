import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantOfLocal } from './local-time.ts';
import { offsetAt } from './zone.ts';

const MINUTE = 60_000;
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Tehran',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/Havana',
  'Africa/Casablanca',
  'Pacific/Apia',
];

const read = (zone: string, local: string): string =>
  new Date(instantOfLocal(zone, Date.parse(`${local}Z`))).toISOString().replace('.000Z', 'Z');

describe('a local time', () => {
  it.each([
    ['UTC', '2026-11-01T00:00', '2026-11-01T00:00:00Z'],
    ['Europe/Berlin', '2026-11-01T00:00', '2026-10-31T23:00:00Z'],
    ['Asia/Kolkata', '2026-11-01T00:00:30', '2026-10-31T18:30:30Z'],
    ['Asia/Kathmandu', '2026-11-01T00:00', '2026-10-31T18:15:00Z'],
    ['America/New_York', '2026-07-01T12:00', '2026-07-01T16:00:00Z'],
  ])('in %s: %s', (zone, local, instant) => {
    expect(read(zone, local)).toBe(instant);
  });

  it.each([
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30:00Z'],
    ['America/New_York', '2026-11-01T01:30', '2026-11-01T05:30:00Z'],
    ['Australia/Lord_Howe', '2026-04-05T01:45', '2026-04-04T14:45:00Z'],
    // Midnight comes twice: the day begins at the first.
    ['America/Havana', '2026-11-01T00:00', '2026-11-01T04:00:00Z'],
  ])('that is shown twice in %s (%s) is the first', (zone, local, instant) => {
    expect(read(zone, local)).toBe(instant);
  });

  it.each([
    ['Europe/Berlin', '2026-03-29T02:30', '2026-03-29T01:00:00Z'],
    ['America/New_York', '2026-03-08T02:00', '2026-03-08T07:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-04T02:15', '2026-10-03T15:30:00Z'],
    // Midnight does not come: the day begins at one o'clock.
    ['Africa/Cairo', '2026-04-24T00:00', '2026-04-23T22:00:00Z'],
    // A whole day that does not come.
    ['Pacific/Apia', '2011-12-30T12:00', '2011-12-30T10:00:00Z'],
  ])('that is skipped in %s (%s) is the moment of the jump', (zone, local, instant) => {
    expect(read(zone, local)).toBe(instant);
  });

  it('is what the clock of the zone shows, and keeps the order', () => {
    const minute = fc.integer({ min: Date.UTC(2010, 0, 1) / MINUTE, max: Date.UTC(2030, 0, 1) / MINUTE });
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), minute, fc.nat(3000), (zone, at, more) => {
        const shown = (at + offsetAt(zone, at)) * MINUTE;
        const found = instantOfLocal(zone, shown);
        expect(found).toBeLessThanOrEqual(at * MINUTE);
        expect(found + offsetAt(zone, found / MINUTE) * MINUTE).toBe(shown);
        expect(instantOfLocal(zone, shown + more * MINUTE)).toBeGreaterThanOrEqual(found);
      }),
      { numRuns: 500 },
    );
  });
});
