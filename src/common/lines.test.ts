import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf, type TextLine } from './lines.ts';

async function read(pieces: readonly string[], most = 100): Promise<TextLine[]> {
  const lines: TextLine[] = [];
  const source = (async function* () {
    yield* pieces;
  })();
  for await (const line of linesOf(source, most)) lines.push(line);
  return lines;
}

const texts = async (pieces: readonly string[], most?: number) =>
  (await read(pieces, most)).map(({ text }) => text);

describe('lines', () => {
  it('end with LF or CRLF, the last one without', async () => {
    expect(await read(['a\nb\r\n\nc'])).toEqual([
      { line: 1, text: 'a' },
      { line: 2, text: 'b' },
      { line: 3, text: '' },
      { line: 4, text: 'c' },
    ]);
    expect(await read([])).toEqual([]);
    expect(await texts(['a\n'])).toEqual(['a']);
  });

  it.each(['\u2028', '\u2029', '\r', '\v', '\f', '\u0085'])('do not end with %j', async (character) => {
    expect(await texts([`a${character}b\nc`])).toEqual([`a${character}b`, 'c']);
  });

  it('beyond the bound are told by their number, and the next ones are read', async () => {
    expect(await read(['123', '45', '6789', '0\n12345\n', '123456'], 5)).toEqual([
      { line: 1, text: null },
      { line: 2, text: '12345' },
      { line: 3, text: null },
    ]);
  });

  it('are the same however the text comes in pieces', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\u2028'), maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(text), async (pieces) => {
        const whole = pieces.join('');
        const expected = whole.split('\n').map((part) => part.replace(/\r$/, ''));
        if (whole === '' || whole.endsWith('\n')) expected.pop();
        expect(await texts(pieces, 1000)).toEqual(expected);
      }),
    );
  });
});
