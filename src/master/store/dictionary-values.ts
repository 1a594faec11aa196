import { getDomain } from 'tldts';
import { addressNumber } from '../../domain/address.ts';
import { DIMENSIONS, type Dictionary, type Dimension, type DimensionName } from '../../domain/dimensions.ts';
import { DICTIONARY_KEYS, keyPlace } from '../../domain/fact-columns.ts';

/** A column of a dictionary that follows from the entry's keys and is computed once per entry. */
export interface DerivedColumn {
  readonly name: string;
  readonly sql: 'VARCHAR' | 'UHUGEINT';
  derive(keys: readonly string[]): string | bigint | null;
}

/** The registrable domain; a host without one (an address, `localhost`) is its own site. */
export function siteOf(host: string): string {
  return getDomain(host) ?? host;
}

/** Dimensions whose function stands here and not in their table. */
const OF: Readonly<Partial<Record<DimensionName, (text: string) => string>>> = { site: siteOf };

/** What a dimension makes of the text of its field; undefined where it takes it as it stands. */
export function computeOf({ name, of }: Dimension): ((text: string) => string | number) | undefined {
  return of ?? OF[name];
}

/** For addresses to be compared: 128 bits, null for what is none. */
const ADDRESS: DerivedColumn = { name: 'num', sql: 'UHUGEINT', derive: ([ip = '']) => addressNumber(ip) };

function derivedOf(dictionary: Dictionary): DerivedColumn[] {
  const keys: readonly string[] = DICTIONARY_KEYS[dictionary];
  const columns = new Map<string, DerivedColumn>();
  for (const dimension of DIMENSIONS) {
    const { name, entry } = dimension;
    if (dimension.dictionary !== dictionary || entry === undefined || keys.includes(entry)) continue;
    const compute = computeOf(dimension);
    const place = keyPlace(dimension);
    if (compute === undefined || place < 0) throw new Error(`nothing says what ${name} is made of`);
    if (columns.has(entry)) continue;
    columns.set(entry, {
      name: entry,
      sql: 'VARCHAR',
      derive: (texts) => String(compute(texts[place] ?? '')),
    });
  }
  return [...columns.values()];
}

export const DERIVED_COLUMNS: Readonly<Record<Dictionary, readonly DerivedColumn[]>> = {
  host: derivedOf('host'),
  ip: [ADDRESS, ...derivedOf('ip')],
  rule: derivedOf('rule'),
  chain: derivedOf('chain'),
};
