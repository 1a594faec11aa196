import { describe, expect, it } from 'vitest';
import type { FlusherState } from '../master/store/flusher.ts';
import type { MaintenanceState } from '../master/store/maintenance.ts';
import { factsReadiness } from './facts-probe.ts';

const FLUSHER: FlusherState = { ok: true, lastFlushAt: 2000, freshTo: 1000, waiting: 3, error: null };
const NONE = { first: null, last: null, rows: 0, wholeFrom: 0 };
const MAINTENANCE: MaintenanceState = {
  lastRoundAt: 4000,
  error: null,
  damage: null,
  checkedAt: 5000,
  overBudget: false,
  coverage: { watermark: 7, tiers: { minute: { ...NONE, wholeFrom: 29_000_160 }, half_hour: NONE } },
  missing: [],
};
const GAP = {
  reason: 'not-kept' as const,
  firstLot: 3,
  lastLot: 5,
  from: 29_000_000,
  to: 29_000_060,
  download: 2048,
  upload: 1024,
};

describe('readiness of the facts', () => {
  it('is fine, and says how far the facts reach', () => {
    expect(factsReadiness(FLUSHER, MAINTENANCE)).toEqual({
      state: 'ok',
      values: {
        waiting: 3,
        last_flush: 2000,
        fresh_to: 1000,
        last_maintenance: 4000,
        last_check: 5000,
        minutes_from: 29_000_160 * 60_000,
        half_hours_from: null,
      },
    });
  });

  it.each([
    ['the first flush is not done', { ok: false }, {}, /first flush/],
    ['a flush failed', { ok: false, error: 'disk full' }, {}, /not fresh: disk full/],
    ['a round failed', {}, { error: 'no space' }, /in order: no space/],
    ['the budget is too small', {}, { overBudget: true }, /--facts-budget/],
    [
      'lots are missing',
      {},
      { missing: [GAP] },
      /3.00 KiB between 2025-02-19T21:20:00.000Z and .*22:20.*put back/,
    ],
  ])('warns when %s', (_, flusher, maintenance, reason) => {
    const found = factsReadiness({ ...FLUSHER, ...flusher }, { ...MAINTENANCE, ...maintenance });
    expect(found.state).toBe('warning');
    expect(found.reason).toMatch(reason);
  });

  it('sums what is missing, each remedy once', () => {
    const cut = { ...GAP, reason: 'rolled-off' as const, firstLot: 8, lastLot: 8, to: 29_000_120 };
    const rebuilt = { ...GAP, reason: 'rebuilt' as const, firstLot: 1, lastLot: 2, from: 28_000_000 };
    const { reason, values } = factsReadiness(FLUSHER, { ...MAINTENANCE, missing: [rebuilt, GAP, cut] });
    expect(reason?.match(/missing/g)).toHaveLength(2);
    expect(values).toMatchObject({
      missing_lots: 6,
      missing_from: '2023-03-28T10:40:00.000Z',
      missing_to: '2025-02-19T23:20:00.000Z',
      missing_download: 3 * 2048,
      missing_upload: 3 * 1024,
    });
  });

  it('is an error when the file is damaged, and tells the rest beside it', () => {
    const found = factsReadiness(
      { ...FLUSHER, ok: false, error: 'x' },
      { ...MAINTENANCE, damage: 'checksum of block 3' },
    );
    expect(found.state).toBe('error');
    expect(found.reason).toMatch(
      /damaged: checksum of block 3.*put back a copy.*facts rebuild.*not fresh: x/,
    );
  });
});
