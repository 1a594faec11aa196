import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { MIGRATIONS } from './migrations.ts';
import { freshSchema, LOT_TABLES, SCHEMA_VERSION } from './schema.ts';

it('changes only together with its version and a migration', () => {
  const hash = createHash('sha256').update(freshSchema().join(';\n')).digest('hex').slice(0, 16);
  expect({ version: SCHEMA_VERSION, hash }).toEqual({ version: 2, hash: 'ed23fb0717846799' });
  expect(MIGRATIONS.map((step) => step.to)).toEqual(
    Array.from({ length: SCHEMA_VERSION - 1 }, (_, index) => index + 2),
  );
});

it('names every table that has a lot', () => {
  const withLot = freshSchema().flatMap(
    (text) => /^CREATE TABLE (\w+) \(.*\blot"? INTEGER/.exec(text)?.[1] ?? [],
  );
  expect(withLot.sort()).toEqual([...LOT_TABLES].sort());
});
