import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowered } from './lowered.ts';

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
