import fc from 'fast-check';
import { expect, it } from 'vitest';
import { coarseShares } from './records-as-facts.ts';

/** A begin of a half hour. */
const NOON = 29_000_010;
const half = (bucket: number) => Math.floor(bucket / 30) * 30;

it('one half hour has all of a short connection', () => {
  const shares = coarseShares({ download: 100, upload: 7, first: NOON + 3, last: NOON + 9 });
  expect(shares).toEqual([{ bucket: NOON + 9, prev: 0, download: 100, upload: 7 }]);
});

it('spreads bytes evenly, in order, each share with the one before', () => {
  expect(coarseShares({ download: 120, upload: 2, first: NOON + 15, last: NOON + 74 })).toEqual([
    { bucket: NOON + 29, prev: 0, download: 30, upload: 0 },
    { bucket: NOON + 59, prev: NOON + 29, download: 60, upload: 1 },
    { bucket: NOON + 74, prev: NOON + 59, download: 30, upload: 1 },
  ]);
});

it('leaves out what moved nothing, but for its begin and its end', () => {
  const shares = coarseShares({ download: 0, upload: 0, first: NOON, last: NOON + 300 });
  expect(shares.map(({ bucket, prev }) => [half(bucket), half(prev)])).toEqual([
    [NOON, 0],
    [NOON + 300, NOON],
  ]);
});

it('any connection: every byte once, no two shares in a half hour, the last where the last fact was', () => {
  fc.assert(
    fc.property(
      fc.record({
        download: fc.nat(2 ** 40),
        upload: fc.nat(2 ** 40),
        first: fc.nat(600),
        length: fc.nat(60_000),
      }),
      ({ download, upload, first, length }) => {
        const last = NOON + first + length;
        const shares = coarseShares({ download, upload, first: NOON + first, last });
        expect(shares.reduce((sum, share) => sum + share.download, 0)).toBe(download);
        expect(shares.reduce((sum, share) => sum + share.upload, 0)).toBe(upload);
        expect(new Set(shares.map(({ bucket }) => half(bucket))).size).toBe(shares.length);
        expect(shares.length).toBeLessThanOrEqual(241);
        expect(shares.at(-1)?.bucket).toBe(last);
        expect(shares[0]?.bucket).toBeGreaterThanOrEqual(NOON + first);
        for (const [index, { prev }] of shares.entries()) expect(prev).toBe(shares[index - 1]?.bucket ?? 0);
      },
    ),
  );
});
