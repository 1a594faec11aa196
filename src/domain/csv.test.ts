import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvCell, csvLine } from './csv.ts';
import { CsvReader } from './csv-reader.ts';

function read(text: string, pieces = 1): (readonly string[])[] {
  const reader = new CsvReader();
  const rows = [];
  const size = Math.max(1, Math.ceil(text.length / pieces));
  for (let at = 0; at < text.length; at += size) rows.push(...reader.push(text.slice(at, at + size)));
  return [...rows, ...reader.end()].map(({ cells }) => cells);
}

describe('CSV', () => {
  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['\rx', '"\'\rx"'],
    ['＝1', "'＝1"],
    ['＋1', "'＋1"],
    ['－1', "'－1"],
    ['＠x', "'＠x"],
    ["'=1", "''=1"],
    ["'tis", "'tis"],
    ['=1,"', '"\'=1,"""'],
    ['nul\0nul', 'nul\uFFFDnul'],
    ['\uD83D', '\uFFFD'],
    ['😀', '😀'],
    ['', ''],
    [null, ''],
    [-5, '-5'],
    [9007199254740991n, '9007199254740991'],
    [true, 'true'],
  ])('writes %s as %s', (value, expected) => {
    expect(csvCell(value)).toBe(expected);
  });

  it('comes back as it was, in pieces of any size', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '"', ',', '\r', '\n', "'", '=', '＝', '-', '😀', ' '),
    });
    const rows = fc.array(fc.array(text, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 50 }), (given, pieces) => {
        expect(read(given.map(csvLine).join(''), pieces)).toEqual(given);
      }),
    );
  });

  it('says on which line a row begins, and where a quote is never closed', () => {
    const reader = new CsvReader();
    const rows = [...reader.push('a,b\r\n"x\ny",2\nlast,3'), ...reader.end()];
    expect(rows.map(({ line }) => line)).toEqual([1, 2, 4]);
    const open = new CsvReader();
    expect(() => [...open.push('a\n"b'), ...open.end()]).toThrow('a quote of line 2 is not closed');
  });
});
