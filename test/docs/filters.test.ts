import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withFieldTable } from '../../scripts/field-table.ts';
import { ERRORS } from '../../src/common/errors.ts';
import { FILTER_FIELDS } from '../../src/domain/filter/fields.ts';
import { MAX_DEPTH, MAX_FILTER, MAX_TESTS, parseFilter } from '../../src/domain/filter/parser.ts';
import { parsePattern } from '../../src/domain/filter/pattern.ts';
import { readFilter, refusal } from '../../src/master/query/filter-text.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/filters.md'), 'utf8');

function section(heading: string): string {
  return document.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
}

/** What stands as code in the first cells of a table. */
function firstCells(text: string): string[] {
  const cells = [...text.matchAll(/^\| ((?:[^|\\]|\\.)+) \|/gm)].map((match) => match[1] ?? '');
  return cells.flatMap((cell) =>
    [...cell.matchAll(/`([^`]+)`/g)].map((match) => (match[1] ?? '').replaceAll('\\|', '|')),
  );
}

describe('docs/filters.md', () => {
  it('holds the table of fields as it is (node scripts/fields.ts --write)', () => {
    expect(withFieldTable(document)).toBe(document);
  });

  it('names no field that is unknown, and leaves out only what nothing can be filtered by yet', () => {
    const named = FILTER_FIELDS.filter(({ name }) => document.includes(`\`${name}\``)).map(
      ({ name }) => name,
    );
    expect(named).toEqual(FILTER_FIELDS.map(({ name }) => name).filter((name) => name !== 'rate'));
  });

  it('shows filters that can be read', () => {
    const shown = [
      ...firstCells(section('What can be said')),
      ...[...section('Fields').matchAll(/`(\w+ (?:=|in) [^`]+)`/g)].map((match) => match[1] ?? ''),
      ...[...section('Regular expressions').matchAll(/`(host =~ [^`]+)`/g)].map((match) => match[1] ?? ''),
      document.split('```')[1]?.trim() ?? '',
      /filter=([^']+)'/.exec(document)?.[1] ?? '',
    ];
    expect(shown.length).toBeGreaterThan(18);
    for (const text of shown) {
      const errors = (['facts', 'connections'] as const).map((of) => {
        const parsed = parseFilter(text, { of });
        return parsed.ok ? [] : parsed.errors;
      });
      expect(errors, text).toContainEqual([]);
    }
  });

  it('shows patterns that can be read', () => {
    const shown = firstCells(section('Regular expressions')).filter((text) => !/^[*+?{]/.test(text));
    expect(shown.length).toBeGreaterThan(14);
    for (const text of shown) expect(parsePattern(text), text).toMatchObject({ ok: true });
    const repeated = firstCells(section('Regular expressions')).filter((text) => /^[*+?{]/.test(text));
    for (const text of repeated) expect(parsePattern(`a${text}`), text).toMatchObject({ ok: true });
  });

  it('shows mistakes as they are answered', () => {
    const [text = '', answer = ''] = [...section('Mistakes').matchAll(/```\w*\n([\s\S]*?)```/g)].map(
      (match) => match[1] ?? '',
    );
    const scope = { of: 'facts', known: { agent: ['home', 'office'] } } as const;
    const { code, message, details } = refusal(readFilter(text.trim(), scope).problems);
    const shown = JSON.parse(answer);
    expect(shown).toEqual({ status: 'error', data: null, message, code, hint: '…', details });
    expect(ERRORS[code].hint).toContain('docs/filters.md');
  });

  it('says the bounds as they are', () => {
    expect(document).toContain(
      `At most ${MAX_FILTER.toLocaleString('en')} characters, ${MAX_TESTS} conditions, and ${MAX_DEPTH} levels`,
    );
  });
});
