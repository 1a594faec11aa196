import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DESCRIPTIVE_FIELDS } from '../../src/domain/connection.ts';

const root = join(import.meta.dirname, '../..');
const document = readFileSync(join(root, 'docs/limits.md'), 'utf8');

it('every limit of docs/limits.md stands in the file that it names, as it says', () => {
  const quoted = [...document.matchAll(/`([^`]+)` in `((?:src|bin)\/[^`]+)`/g)];
  expect(quoted.length).toBeGreaterThan(40);
  for (const [, text = '', file = ''] of quoted) {
    expect(readFileSync(join(root, file), 'utf8'), `${file}: ${text}`).toContain(text);
  }
});

it('docs/limits.md names the length of every field of a connection', () => {
  for (const { name, type, max } of DESCRIPTIVE_FIELDS) {
    if (type === 'integer') continue;
    const row = new RegExp(`^\\| [^|]*\`${name}\`[^|]*\\| ${max} +\\|$`, 'm');
    expect(document, `${name}: ${max}`).toMatch(row);
  }
});
