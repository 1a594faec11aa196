import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConnectionFields, emptyFields } from '../../domain/connection.ts';
import { consoleLine } from './console-line.ts';
import { visible } from './visible.ts';
import { cut, widthOf } from './width.ts';

/** What a name must never bring to a terminal, each with its escape. */
const NASTY: readonly (readonly [name: string, shown: string])[] = [
  ['\u001b[31mred\u001b[0m', '\\u{1B}[31mred\\u{1B}[0m'],
  ['\u001b]0;title\u0007', '\\u{1B}]0;title\\u{07}'],
  ['\u001b]8;;http://evil\u001b\\x', '\\u{1B}]8;;http://evil\\u{1B}\\x'],
  ['\u009b2J', '\\u{9B}2J'],
  ['a\r\nb', 'a\\u{0D}\\u{0A}b'],
  ['a\tb\bc\u0000', 'a\\u{09}b\\u{08}c\\u{00}'],
  ['\u007f', '\\u{7F}'],
  ['moc.elgoog\u202e', 'moc.elgoog\\u{202E}'],
  ['\u202a\u202b\u202c\u202d', '\\u{202A}\\u{202B}\\u{202C}\\u{202D}'],
  ['\u2066\u2067\u2068\u2069', '\\u{2066}\\u{2067}\\u{2068}\\u{2069}'],
  ['\u200e\u200f\u061c', '\\u{200E}\\u{200F}\\u{61C}'],
  ['a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
  ['goo\u200bgle', 'goo\\u{200B}gle'],
  ['a\u200c\u200d\u2060\ufeffb', 'a\\u{200C}\\u{200D}\\u{2060}\\u{FEFF}b'],
  ['so\u00adft', 'so\\u{AD}ft'],
  ['\u3164\u115f', '\\u{3164}\\u{115F}'],
  ['\ud800x', '\\u{D800}x'],
  ['\u{e0041}', '\\u{E0041}'],
];

/** What is written in names and must stay as it is. */
const GOOD = ['香港 01', '🇭🇰 HK', '✈️ Airport', 'Ünïcödé', 'नमस्ते', 'שלום', 'a\\u{202E}'];

const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

function nastyFields(text: string): ConnectionFields {
  const fields = emptyFields(text) as unknown as Record<string, unknown>;
  for (const [key, value] of Object.entries(fields)) if (typeof value === 'string') fields[key] = text;
  fields.chains = JSON.stringify([text, text]);
  return fields as unknown as ConnectionFields;
}

function lines(text: string): string[] {
  const fields = nastyFields(text);
  const numbers = { deltaDownload: 1, deltaUpload: 2, download: 3, upload: 4 };
  return [true, false].flatMap((aligned) => [
    consoleLine({ kind: 'open', at: 0, fields }, { aligned, colour: false }),
    consoleLine({ kind: 'close', at: 0, fields, ...numbers }, { aligned, colour: false }),
    consoleLine({ kind: 'traffic', at: 0, fields, ...numbers }, { aligned, colour: false }),
    consoleLine({ kind: 'note', at: 0, text }, { aligned, colour: false }),
  ]);
}

describe('names from the network', () => {
  test.each(NASTY)('%j is shown as %s', (name, shown) => {
    expect(visible(name)).toBe(shown);
    for (const line of lines(name)) expect(line).not.toMatch(UNSAFE);
  });

  test.each(GOOD)('%s stays as it is', (name) => {
    expect(visible(name)).toBe(name);
  });

  test('whatever the name, in whichever field: one line, nothing that a terminal obeys', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc
        .array(fc.constantFrom(...NASTY.map(([name]) => name), ...GOOD), { maxLength: 60 })
        .map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (name) => {
        for (const line of lines(name)) {
          expect(line).not.toMatch(UNSAFE);
          expect(widthOf(line)).toBeLessThan(600);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a name of a megabyte costs and shows no more than another', () => {
    for (const name of [
      'x'.repeat(1e6),
      '香'.repeat(1e6),
      `a${'\u0301'.repeat(1e6)}`,
      '\u202e'.repeat(1e6),
    ]) {
      const begun = performance.now();
      for (const line of lines(name)) expect(line.length).toBeLessThan(2500);
      expect(performance.now() - begun).toBeLessThan(500);
    }
  });

  test('marks piled on one letter are thinned out', () => {
    expect(cut(`a${'\u0301'.repeat(50)}b`, 20)).toBe('a\u0301\u0301\u0301\u0301b');
  });
});
