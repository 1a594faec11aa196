import { describe, expect, it } from 'vitest';
import { cutMiddle, widthOf } from '../../agent/monitor/width.ts';
import { bar, drawnLine, percent } from './drawing.ts';
import { placesIn } from './filter-places.ts';
import { renderSheet, type Sheet } from './sheet.ts';

const SHEET: Sheet = {
  columns: [
    { head: 'HOST', cuts: true },
    { head: 'NODE', cuts: true },
    { head: 'TOTAL', right: true },
  ],
  rows: [
    { cells: ['all', '', '12.00 GiB'], apart: true },
    { cells: ['视频网站的一个很长很长的名字.example', '🇭🇰 香港', '1.00 B'] },
    { cells: ['b\u001b[31m\nx', '', '11.00 GiB'], tone: 'bad' },
  ],
  notes: ['a note\u202e'],
};

describe('a sheet', () => {
  it('has columns as wide as terminals show them, the rest below a line, and sends no controls', () => {
    expect(renderSheet(SHEET, { width: null, colour: false }).split('\n')).toEqual([
      'HOST                                  NODE         TOTAL',
      '视频网站的一个很长很长的名字.example  🇭🇰 香港     1.00 B',
      'b\\u{1B}[31m\\u{0A}x                             11.00 GiB',
      '────────────────────────────────────────────────────────',
      'all                                            12.00 GiB',
      '',
      'a note\\u{202E}',
    ]);
  });

  it('fits a terminal by cutting names in the middle, and nothing else', () => {
    const lines = renderSheet(SHEET, { width: 40, colour: false }).split('\n').slice(0, 5);
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(40);
    expect(lines[1]).toMatch(/^视频.*….*example/);
    expect(lines[2]).toContain('11.00 GiB');
    // Too narrow for any table: numbers stay whole.
    expect(renderSheet(SHEET, { width: 5, colour: false })).toContain('11.00 GiB');
  });

  it('leaves out spare columns where names would get too short, the last first, and says so', () => {
    const spare = {
      ...SHEET,
      columns: SHEET.columns.map((column, index) => ({ ...column, spare: index > 0 })),
    };
    const text = renderSheet(spare, { width: 36, colour: false });
    expect(text.split('\n')[0]).toMatch(/^HOST +NODE$/);
    expect(text).toMatch(/the terminal is too narrow for: total$/);
  });

  it('has colours where they are wanted', () => {
    const text = renderSheet(SHEET, { width: null, colour: true });
    expect(text.startsWith('\u001b[1mHOST')).toBe(true);
    expect(text).toContain('\u001b[31mb\\u{1B}');
  });
});

describe('a name that is too long', () => {
  it.each([
    ['abcdefghij', 10, 'abcdefghij'],
    ['abcdefghij', 7, 'abcd…ij'],
    ['abcdefghij', 3, 'ab…'],
    ['香港香港香港香港', 9, '香港香…港'],
  ])('%s in %i columns', (text, max, cut) => {
    expect(cutMiddle(text, max)).toBe(cut);
    expect(widthOf(cutMiddle(text, max))).toBeLessThanOrEqual(max);
  });
});

describe('drawings', () => {
  it('draw a part of a whole, something for anything', () => {
    expect(bar(1, 2)).toBe('█'.repeat(6));
    expect(bar(1, 1_000_000)).toBe('▏');
    expect([bar(0, 5), bar(5, 0), bar(-1, 5)]).toEqual(['', '', '']);
    expect(bar(9, 5)).toBe('█'.repeat(12));
    expect([percent(1, 3), percent(1, 0)]).toEqual(['33.3 %', '']);
  });

  it('draw a series, gaps told from nothing, and long ones by their highest points', () => {
    expect(drawnLine([0, 1, 4, 8, null])).toBe(' ▂▅█·');
    expect(drawnLine([])).toBe('');
    expect(drawnLine([0, 0])).toBe('  ');
    const long = Array.from({ length: 100 }, (_, index) => (index === 50 ? 10 : 1));
    expect(drawnLine(long)).toMatch(/^▁{12}█▁+$/);
  });
});

describe('places in a filter', () => {
  it('stand under what is wrong, also behind wide characters', () => {
    const text = 'host = "视频" and x = 1';
    const at = [text.indexOf('x ='), text.indexOf('x =') + 1] as const;
    expect(placesIn(text, [{ at, problem: 'no', hint: 'yes' }])).toEqual([
      text,
      `${' '.repeat(widthOf(text.slice(0, at[0])))}^`,
      'at 17: no (yes)',
    ]);
  });

  it('are seen at the end, where there is nothing', () => {
    expect(placesIn('a\nand', [{ at: [5, 5], problem: 'more' }])).toEqual([
      'a\\u{0A}and',
      `${' '.repeat(10)}^`,
      'at 6: more',
    ]);
  });
});
