import type { Sqlite } from '../../common/sqlite.ts';
import { countryOf, groupOf, nodeOf, parseChains, routeOf } from '../../domain/dimensions.ts';
import { siteOf } from '../store/dictionary-values.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Derived dimensions as SQL functions: the domain's own definitions, not a second wording of them in SQL. */
const FUNCTIONS: Readonly<Record<string, (value: string) => string>> = {
  node_of: (chains) => nodeOf(parseChains(chains)),
  group_of: (chains) => groupOf(parseChains(chains)),
  route_of: (chains) => routeOf(nodeOf(parseChains(chains))),
  country_of: countryOf,
  site_of: siteOf,
};

/** Registers them. */
export function addSqlFunctions(db: Sqlite): void {
  for (const [name, compute] of Object.entries(FUNCTIONS)) {
    db.function(name, { deterministic: true }, (value: unknown) => compute(text(value)));
  }
}
