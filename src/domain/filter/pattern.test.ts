import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PROGRAM, parsePattern } from './pattern.ts';

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
    '(a',
    'a)',
    '[a',
    '*a',
    'a{3,2}',
    'a{2000}',
    '(a{50}){50}',
    '(?=a)',
    '(a)\\1',
    'a\\',
    '[z-a]',
    '\\Bcat',
    '\\C',
    '\\Qa.b\\E',
    '(?<name>a)',
    '\\p{Emoji}',
    '\\p{LC}',
    '\\p{Garay}',
    '\\PX',
    '\\\\\\B',
  ])('%s is none, and why is said', (pattern) =>
    expect(parsePattern(pattern)).toEqual({ ok: false, problem: expect.stringMatching(/\S/) }),
  );

  it.each(['\\\\B', '[B]', 'B', '\\pL', '\\P{^Lu}', '\\p{Han}', '(?P<name>a)', '\\\\p{Emoji}'])(
    '%s is one',
    (pattern) => expect(parsePattern(pattern).ok).toBe(true),
  );

  it('is not taken when a match would have too much to follow', () => {
    expect(parsePattern(`a{${MAX_PROGRAM}}`)).toEqual({ ok: false, problem: 'too large' });
  });

  it.each(['(a+)+$', '(a|a)*b', '(.*)(.*)(.*)(.*)(.*)[^a]', '(a?){200}a{9}b'])(
    '%s ends on a text of which others try every part in every way',
    (pattern) => expect(matches(pattern, `${'a'.repeat(4096)}!`)).toBe(pattern.endsWith('[^a]')),
  );

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
