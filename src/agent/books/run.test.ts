import { describe, expect, it } from 'vitest';
import { acceptedIncrease, judgeRun, type RunVerdict } from './run.ts';

const before = { download: 1000, upload: 100 };
const NOW = {
  'both rose': { download: 1500, upload: 150 },
  unchanged: before,
  'download fell': { download: 900, upload: 150 },
  'upload fell': { download: 1500, upload: 90 },
  'both fell': { download: 5, upload: 5 },
} as const;

describe('the verdict on a run (A6)', () => {
  it.each<[string, number, keyof typeof NOW, RunVerdict]>([
    ['unbroken', 3, 'both rose', 'same'],
    ['unbroken', 0, 'both rose', 'same'],
    ['unbroken', 0, 'unchanged', 'same'],
    ['unbroken', 3, 'download fell', 'reset'],
    ['unbroken', 3, 'upload fell', 'reset'],
    ['unbroken', 0, 'both fell', 'reset'],
    ['broken', 1, 'both rose', 'same'],
    ['broken', 1, 'unchanged', 'same'],
    ['broken', 1, 'both fell', 'reset'],
    ['broken', 1, 'upload fell', 'reset'],
    ['broken', 0, 'unchanged', 'same'],
    ['broken', 0, 'both fell', 'restarted'],
    ['broken', 0, 'download fell', 'restarted'],
    ['broken', 0, 'upload fell', 'restarted'],
    ['broken', 0, 'both rose', 'ambiguous'],
  ])('%s, %d known listed, totals: %s → %s', (feed, knownListed, totals, verdict) => {
    expect(judgeRun({ unbroken: feed === 'unbroken', before, now: NOW[totals], knownListed })).toBe(verdict);
  });
});

describe('the accepted increase', () => {
  const now = { download: 1500, upload: 150 };
  const counted = { download: 7, upload: 8 };
  it.each<[RunVerdict, { download: number; upload: number }]>([
    ['same', { download: 500, upload: 50 }],
    ['reset', counted],
    ['restarted', now],
    ['ambiguous', counted],
  ])('of %s', (verdict, increase) => {
    expect(acceptedIncrease(verdict, before, now, counted)).toEqual(increase);
  });
});
