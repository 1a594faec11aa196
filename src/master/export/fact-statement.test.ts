import { describe, expect, it } from 'vitest';
import { EXPORT_FORMATS } from '../../domain/export.ts';
import { parseFilter } from '../../domain/filter/parser.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import { wallClock } from '../query/hour-of-week.ts';
import { sourceOf } from '../query/source.ts';
import { factStatement } from './fact-statement.ts';

const RANGES = [{ from: 0, to: 60 }] as const;

function textOf(
  tier: 'minute' | 'half_hour',
  filter: Filter | null,
  format: (typeof EXPORT_FORMATS)[number],
) {
  const view = { source: sourceOf(tier, 9), ranges: RANGES, clock: wallClock('UTC', RANGES) };
  return factStatement({ view, filter }, format).render().text;
}

describe('the statement of an export', () => {
  it.each(EXPORT_FORMATS)('as %s, from either tier', (format) => {
    for (const tier of ['minute', 'half_hour'] as const) {
      expect(
        textOf(tier, null, format).replaceAll(/ (FROM|WHERE|JOIN|UNION ALL|CASE)\b/g, '\n$1'),
      ).toMatchSnapshot();
    }
  });

  it.each(EXPORT_FORMATS)('as %s holds no text of a filter', (format) => {
    const parsed = parseFilter(`host = "x' OR 1=1 --" and process =~ "y'; DROP"`, { of: 'facts' });
    if (!parsed.ok) throw new Error('a filter of this test');
    const text = textOf('minute', parsed.filter, format);
    expect(text).toContain('WHERE bucket >= $');
    for (const part of ['OR 1=1', 'DROP', "x'"]) expect(text).not.toContain(part);
  });
});
