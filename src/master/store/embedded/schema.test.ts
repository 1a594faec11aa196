import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { MIGRATIONS } from './migrations.ts';
import { DIMENSION_COLUMNS, declared, freshSchema, LOT_TABLES, quoted, SCHEMA_VERSION } from './schema.ts';

/** What the dimension table has no part in: columns of facts come and go with it (`dimension-columns.ts`). */
function withoutDimensions(statement: string): string {
  return DIMENSION_COLUMNS.map(declared).reduce(
    (text, { name, sql }) => text.replace(`${quoted(name)} ${sql}, `, ''),
    statement,
  );
}

it('changes only together with its version and a migration', () => {
  const schema = freshSchema().map((text) => (/\blot"? INTEGER/.test(text) ? withoutDimensions(text) : text));
  const hash = createHash('sha256').update(schema.join(';\n')).digest('hex').slice(0, 16);
  expect({ version: SCHEMA_VERSION, hash }).toEqual({ version: 2, hash: 'a25693c4c1a07d8b' });
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

it('keeps the columns that facts have by what they are', () => {
  const columns = DIMENSION_COLUMNS.map(({ name, sql }) => `${name} ${sql}`);
  expect(columns).toEqual(
    expect.arrayContaining([
      ...['device', 'host', 'destination_ip', 'rule', 'chain'].map((name) => `${name} INTEGER`),
      ...['agent', 'process', 'network', 'conn_type', 'inbound_name', 'inbound_user'].map(
        (name) => `${name} VARCHAR`,
      ),
      ...['country VARCHAR', 'asn VARCHAR', 'destination_port USMALLINT'],
    ]),
  );
});
