import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowered } from './characters.ts';
import { MAX_STATES, parsePattern } from './pattern.ts';

function matches(pattern: string, text: string): boolean {
  const parsed = parsePattern(pattern);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.pattern.matches(text);
}

describe('a regular expression', () => {
  it.each([
    ['youtube|ytimg', 'i.ytimg.com', 'example.com'],
    ['^www[.]', 'www.example.com', 'a.www.example.com'],
    ['\\.(com|net)$', 'example.com', 'example.com.cn'],
    ['^(?:a|bc)+$', 'abcabc', 'abcab'],
    ['x{2,3}y', 'axxxy', 'axy'],
    ['x{2}', 'xx', 'x'],
    ['^x{2,}$', 'xxxx', 'x'],
    ['^a.c$', 'a💥c', 'a\nc'],
    ['^[^a-c\\d]$', 'z', '7'],
    ['[]-]', ']', 'a'],
    ['\\bcat\\b', 'a cat.', 'concat'],
    ['\\Bcat', 'concat', 'cat'],
    ['^\\w+\\s\\S$', 'ab 1', 'ab1'],
    ['(?i)^ÄÖ\\.de$', 'äö.DE', 'ao.de'],
    ['(?i)[k-l]', '\u212a', 'm'],
    ['(?i)[^k]', 'x', 'K'],
    ['\\x41\\x{1F4A5}\\t', 'A💥\t', 'A'],
    ['^(a*)*$', 'aaaa', 'b'],
    ['^(|a)+$', 'aa', 'b'],
    ['节点', '香港节点', '香港'],
  ])('%s', (pattern, found, other) => {
    expect([matches(pattern, found), matches(pattern, other)]).toEqual([true, false]);
  });

  it.each([
    ['(a', 'a "(" that never ends'],
    ['a)', 'a ")" that ends nothing'],
    ['[a', 'a "[" that never ends'],
    ['*a', 'a "*" that repeats nothing'],
    ['a**', 'a repetition of a repetition; put it in parentheses'],
    ['a{3,2}', '"{3,2}" is no repetition of up to 1000'],
    ['a{2000}', '"{2000}" is no repetition of up to 1000'],
    ['(a{50}){50}', 'more than 1000 repetitions'],
    ['a{x}', 'a "{" that is no repetition; write "\\{" for the character'],
    ['(?=a)', 'a "(?" other than "(?:", or "(?i)" in front of all'],
    ['a(?i)b', 'a "(?" other than "(?:", or "(?i)" in front of all'],
    ['(a)\\1', '"\\1" means nothing'],
    ['\\p{L}', '"\\p" means nothing'],
    ['[[:alpha:]]', '"[:" in a class; write the characters, or \\d, \\w, \\s'],
    ['[z-a]', 'a range in a class that ends before it begins'],
    ['a\\', 'a backslash at its end'],
    ['\\x4', 'a "\\x" without a number such as 41 or {1F4A5}'],
    ['(ab?){600}', 'too large'],
    [`${'('.repeat(51)}${')'.repeat(51)}`, 'nested more than 50 deep'],
  ])('%s is none: %s', (pattern, problem) => {
    expect(parsePattern(pattern)).toEqual({ ok: false, problem });
  });

  it('finds what the engine of JavaScript finds', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      '\\w',
      '\\d',
      '(a|b)',
      '(ab)?',
      'ba',
      '\\b',
      '^',
      '$',
    );
    const times = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '{0,3}?');
    const part = fc
      .tuple(atom, times)
      .map(([one, more]) => (/^[\\^$]/.test(one) && !/^\\[wd]/.test(one) ? one : `(${one})${more}`));
    const pattern = fc
      .array(
        fc.array(part, { maxLength: 4 }).map((parts) => parts.join('')),
        { minLength: 1, maxLength: 3 },
      )
      .map((parts) => parts.join('|'));
    const text = fc
      .array(fc.constantFrom('a', 'b', '1', '-', '💥'), { maxLength: 8 })
      .map((chars) => chars.join(''));
    fc.assert(
      fc.property(pattern, text, (given, subject) => {
        expect(matches(given, subject)).toBe(new RegExp(given, 'u').test(subject));
      }),
      { numRuns: 2000 },
    );
  });

  it('ignores case as Unicode folds it', () => {
    for (const letter of ['k', 's', 'σ', 'ß', 'ω', 'å', 'i', 'ı', 'İ', 'ж', 'ﬀ', 'Dž', '𐐀']) {
      const ours = parsePattern(`(?i)${letter}`);
      const theirs = new RegExp(letter, 'iu');
      for (let code = 0; code < 0x20000; code++) {
        if (code >= 0xd800 && code <= 0xdfff) continue;
        const char = String.fromCodePoint(code);
        if (ours.ok && ours.pattern.matches(char) !== theirs.test(char)) {
          expect(`${letter}: ${code.toString(16)}`).toBe('the same');
        }
      }
    }
  });

  it('takes time in proportion to the text, where others try every way', () => {
    for (const pattern of ['(a+)+$', '(a|a)*b', '(.*)(.*)(.*)(.*)(.*)[^a]', `(a?){${MAX_STATES / 4}}a{9}b`]) {
      const text = 'a'.repeat(4096);
      const begun = performance.now();
      expect(matches(pattern, `${text}!`)).toBe(pattern.endsWith('[^a]'));
      expect(performance.now() - begun).toBeLessThan(1000);
    }
  });

  it('never fails on a text that is none', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc
        .array(
          fc.constantFrom(
            '(',
            ')',
            '[',
            ']',
            '{',
            '}',
            '*',
            '+',
            '?',
            '|',
            '\\',
            '^',
            '-',
            'a',
            '1',
            ',',
            '(?',
            ':',
            '💥',
            '\ud800',
          ),
          { maxLength: 30 },
        )
        .map((chars) => chars.join('')),
    );
    fc.assert(
      fc.property(noise, noise, (pattern, text) => {
        const parsed = parsePattern(pattern);
        if (parsed.ok) expect(parsed.pattern.matches(text)).toBeTypeOf('boolean');
        else expect(parsed.problem).not.toBe('');
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a text in lower case', () => {
  it('changes each character by itself', () => {
    expect(lowered('WWW.Example.COM')).toBe('www.example.com');
    expect(lowered('ΑΣ ÄÖ İ 💥')).toBe('ασ äö i 💥');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(lowered(a.toWellFormed() + b.toWellFormed())).toBe(
          lowered(a.toWellFormed()) + lowered(b.toWellFormed()),
        );
      }),
    );
  });
});
