import { getDomain } from 'tldts';
import { addressNumber } from '../../domain/address.ts';
import { type Dictionary, groupOf, nodeOf, parseChains, routeOf } from '../../domain/dimensions.ts';

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

export const DERIVED_COLUMNS: Readonly<Record<Dictionary, readonly DerivedColumn[]>> = {
  host: [{ name: 'site', sql: 'VARCHAR', derive: ([host = '']) => siteOf(host) }],
  ip: [{ name: 'num', sql: 'UHUGEINT', derive: ([ip = '']) => addressNumber(ip) }],
  rule: [],
  chain: [
    { name: 'group', sql: 'VARCHAR', derive: ([chains = '']) => groupOf(parseChains(chains)) },
    { name: 'node', sql: 'VARCHAR', derive: ([chains = '']) => nodeOf(parseChains(chains)) },
    { name: 'route', sql: 'VARCHAR', derive: ([chains = '']) => routeOf(nodeOf(parseChains(chains))) },
  ],
};
