import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withDimensionTable } from '../../scripts/dimension-tables.ts';
import { documentedCodes, withErrorTables } from '../../scripts/error-table.ts';
import { ERRORS } from '../../src/common/errors.ts';
import { testApp } from '../../src/master/http/http.test-support.ts';
import { GROUP_KEYS } from '../../src/master/query/group-keys.ts';
import { parseInterval } from '../../src/master/query/interval.ts';
import { RANGE_WORDS } from '../../src/master/query/range-words.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/http-api.md'), 'utf8');

describe('docs/http-api.md', () => {
  it('holds the catalogue of errors as it is (node scripts/errors.ts --write)', () => {
    expect(withErrorTables(document)).toBe(document);
  });

  it('names every code of the catalogue once, and no other', () => {
    expect(documentedCodes(document).sort()).toEqual(Object.keys(ERRORS).sort());
  });

  it('has a heading for every route, and none for others', async () => {
    const app = testApp();
    await app.ready();
    const routes = app.registry.routes
      .filter(({ method }) => method !== 'HEAD')
      .map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`);
    await app.close();
    const headings = [...document.matchAll(/^### `((?:GET|POST|DELETE) [^`]+)`$/gm)].map((match) => match[1]);
    expect(headings.sort()).toEqual(routes.sort());
  });

  it('says of each interval that it names whether it is taken', () => {
    const rule = /^- `interval`: [\s\S]*?(?=^- )/m.exec(document)?.[0].replace(/\s+/g, ' ') ?? '';
    const groups = [...rule.matchAll(/\((`[^)]*)\)|Anything else is 400: ([^.]*(?:\.\d[^.]*)*)\./g)];
    const named = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
    const taken = groups.flatMap(([, examples = '']) => named(examples.split('not ')[0] ?? ''));
    const refused = groups.flatMap(([, examples = '', others = '']) =>
      named((examples.split('not ')[1] ?? '') + others),
    );
    expect([taken.length, refused.length]).toEqual([8, 8]);
    expect(taken.filter((text) => parseInterval(text) === null)).toEqual([]);
    expect(refused.filter((text) => parseInterval(text) !== null)).toEqual([]);
  });

  it('names every word for a range', () => {
    const row = /^\| `range` .*$/m.exec(document)?.[0] ?? '';
    expect([...row.matchAll(/`([^`]+)`/g)].map((match) => match[1])).toEqual(['range', ...RANGE_WORDS]);
  });

  it('holds the table of dimensions as it is (node scripts/dimensions.ts --write)', () => {
    expect(withDimensionTable(document)).toBe(document);
  });

  it('names everything that can be grouped and filtered by', () => {
    for (const key of GROUP_KEYS) expect(document).toContain(`\`${key}\``);
  });
});
