import { describe, expect, it } from 'vitest';
import { settle } from '../../bench/facts/measure-shapes.ts';
import { putBlock } from '../../bench/report.ts';
import { median, percentile } from '../../bench/statistics.ts';

describe('a page of figures', () => {
  const page =
    '# Benchmarks\n\nWords.\n\n## a\n\n<!-- bench:a -->\n\nold\n\n<!-- /bench:a -->\n\nMore words.\n';

  it('gets new figures where the old ones are, and keeps everything else', () => {
    expect(putBlock(page, 'a', 'new')).toBe(page.replace('old', 'new'));
  });

  it('gets a section at the end for what it does not have yet', () => {
    const both = putBlock(page, 'b', 'more');
    expect(both.startsWith(page)).toBe(true);
    expect(both.endsWith('## b\n\n<!-- bench:b -->\n\nmore\n\n<!-- /bench:b -->\n')).toBe(true);
    expect(putBlock(both, 'b', 'other')).toBe(both.replace('\nmore\n', '\nother\n'));
  });

  it('is not written to where a marker is missing', () => {
    expect(() => putBlock(page.replace('<!-- /bench:a -->', ''), 'a', 'new')).toThrow(/only one/);
    expect(() => putBlock(page.replace('<!-- bench:a -->', ''), 'a', 'new')).toThrow(/only one/);
  });
});

describe('the nearest rank', () => {
  it('is a value that was measured', () => {
    const values = Array.from({ length: 21 }, (_, i) => 21 - i);
    expect(percentile(values, 0.95)).toBe(20);
    expect(percentile(values, 1)).toBe(21);
    expect(median(values)).toBe(11);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('a bar of 100 ms', () => {
  const measured = async (p95s: number[]) => {
    let rounds = 0;
    const timing = await settle(async () => ({ p50: 1, p95: p95s[rounds++]!, cpu: 1 }), 100);
    return { p95: timing.p95, rounds };
  };

  it('is met, or far missed, by the first round', async () => {
    expect(await measured([100])).toEqual({ p95: 100, rounds: 1 });
    expect(await measured([121])).toEqual({ p95: 121, rounds: 1 });
  });

  it('that is missed by a little is measured three times more, and the median counts', async () => {
    expect(await measured([120, 90, 130, 99])).toEqual({ p95: 99, rounds: 4 });
    expect(await measured([101, 140, 90, 105])).toEqual({ p95: 105, rounds: 4 });
  });

  it('is none: nothing is repeated', async () => {
    const far = { p50: 1, p95: 1000, cpu: 1 };
    expect(await settle(async () => far, undefined)).toEqual(far);
  });
});
