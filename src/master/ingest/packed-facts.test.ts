import { expect, test } from 'vitest';
import { FACT_FIELDS } from '../../domain/fact-columns.ts';
import { type FactRow, packFacts, unpackFacts } from './packed-facts.ts';

const texts = (prefix: string) => FACT_FIELDS.map((name) => `${prefix} ${name}`);

test('facts arrive as they were read', () => {
  const rows: FactRow[] = [
    [7, 0, 29_000_001, 29_000_000, 1, 2 ** 45, 3, 1, 1, 'home', ...texts('ü')],
    [7, 0, 29_000_002, 29_000_001, 0, 0, 0, 1, 1, 'home', ...texts('ü')],
    // Unattributed bytes belong to an agent alone, and may be negative.
    [0, 2, 29_000_002, 0, 0, -5, 6, 0, 0, 'home', ...FACT_FIELDS.map(() => null)],
  ];
  const packed = packFacts(rows);
  expect(packed.strings).toHaveLength(1 + FACT_FIELDS.length);
  const [first, second, unattributed] = unpackFacts(packed);
  expect(first).toMatchObject({ conn: 7, kind: 0, bucket: 29_000_001, prev: 29_000_000, recovered: true });
  expect(first).toMatchObject({ download: 2 ** 45, upload: 3, conns: 1, agent: 'home' });
  expect(first?.fields).toEqual(Object.fromEntries(FACT_FIELDS.map((name) => [name, `ü ${name}`])));
  expect(second).toMatchObject({ recovered: false, conns: 1, fields: first?.fields });
  expect(unattributed).toMatchObject({
    kind: 2,
    download: -5,
    upload: 6,
    conns: 0,
    agent: 'home',
    fields: null,
  });
});

test('a column that an original left NULL says nothing', () => {
  const row: FactRow = [1, 0, 5, 0, 0, 1, 1, 1, 1, 'a', ...FACT_FIELDS.map(() => null)];
  const [fact] = unpackFacts(packFacts([row]));
  expect(fact?.fields).toMatchObject({ host: '', chains: '[]', destination_geoip: 'null' });
});
