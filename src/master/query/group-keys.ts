import { DIMENSIONS, type Dimension, type DimensionName } from '../../domain/dimensions.ts';
import { named, type Sql, sql } from './sql.ts';

/** The original's names for what it groups and filters by, where they differ from the dimension of that name. */
export const ALIASES = ['agent_id', 'rule', 'destination', 'geoip', 'host', 'chains'] as const;
export type Alias = (typeof ALIASES)[number];

export type GroupKey = Alias | DimensionName;

/** Everything that `/stats` groups and filters by: the original's names first, then every other dimension. */
export const GROUP_KEYS: readonly GroupKey[] = [
  ...ALIASES,
  ...DIMENSIONS.map((dimension) => dimension.name).filter(
    (name) => !(ALIASES as readonly string[]).includes(name),
  ),
];

/** How facts are grouped by a key: ids first, then the text that the ids stand for. */
export interface GroupSpec {
  /** Name of the key in the rows of an answer. */
  readonly rowKey: string;
  /** What people call it. */
  readonly label: string;
  /** Columns of facts, or expressions named like them, to be grouped by. */
  readonly ids: Sql;
  /** Joins of dictionaries to the grouped ids, which are in `a`. */
  readonly joins: Sql;
  /** The text of a group, from the joined row. */
  readonly text: Sql;
  /**
   * Where facts are grouped by more than one id, which takes longer than looking entries up: what facts pass whose text
   * contains one (lower case), and maybe others.
   */
  readonly containing?: (text: string) => Sql;
}

const DIMENSION_BY_NAME = new Map<string, Dimension>(
  DIMENSIONS.map((dimension) => [dimension.name, dimension]),
);

export function dimensionOf(name: string): Dimension {
  const dimension = DIMENSION_BY_NAME.get(name);
  if (!dimension) throw new Error(`there is no dimension ${name}`);
  return dimension;
}

/** Groups by a dimension under its own name, whatever the original calls so. */
export function dimensionSpec(name: DimensionName): GroupSpec {
  const dimension = dimensionOf(name);
  const column = named(dimension.column);
  const { dictionary, entry } = dimension;
  const common = { rowKey: name, label: dimension.label, ids: column };
  if (dictionary === undefined || entry === undefined) {
    const value = sql`a.${column}`;
    // A port of 0 is one that the core did not say.
    const text =
      dimension.type === 'number' ? sql`CASE WHEN ${value} = 0 THEN '' ELSE ${value}::VARCHAR END` : value;
    return { ...common, joins: sql``, text };
  }
  return {
    ...common,
    joins: sql`LEFT JOIN ${named(dictionary)} AS x ON x.id = a.${column}`,
    text: sql`coalesce(x.${named(entry)}, '')`,
  };
}

/** `RULE (payload)`, or `RULE` where there is no payload, of a row of the dictionary. */
export const RULE_TEXT = sql`CASE WHEN payload = '' THEN type ELSE type || ' (' || payload || ')' END`;

/**
 * The same as a group shows it: `RULE ()` where other rules of the type have a payload, for a filter by `RULE` means all of
 * them, and one by a group must find what is in it.
 */
const RULE_GROUP = sql`CASE WHEN payload = '' AND type <> '' AND type IN (SELECT type FROM rule WHERE payload <> '')
  THEN type || ' ()' ELSE ${RULE_TEXT} END`;

const SPECS: Readonly<Record<Alias, () => GroupSpec>> = {
  agent_id: () => ({ ...dimensionSpec('agent'), rowKey: 'agent_id' }),
  geoip: () => ({ ...dimensionSpec('country'), rowKey: 'destination_geoip' }),
  destination: () => ({ ...dimensionSpec('destination_ip'), rowKey: 'destination_ip' }),
  chains: () => ({ ...dimensionSpec('node'), rowKey: 'node' }),
  rule: () => ({ ...dimensionSpec('rule'), text: sql`coalesce(${RULE_GROUP}, '')` }),
  // The host name, or the destination address where there is none: so the address counts only without a host.
  host: () => ({
    ...dimensionSpec('host'),
    ids: sql`host, CASE WHEN host = 0 THEN destination_ip ELSE 0 END AS destination_ip`,
    joins: sql`LEFT JOIN host AS x ON x.id = a.host LEFT JOIN ip AS y ON y.id = a.destination_ip`,
    text: sql`coalesce(CASE WHEN a.host = 0 THEN y.ip ELSE x.host END, '')`,
    containing: (text) =>
      sql`host IN (SELECT id FROM host WHERE contains(lower(host), ${text}) UNION ALL SELECT 0)`,
  }),
};

export function isAlias(key: GroupKey): key is Alias {
  return (ALIASES as readonly string[]).includes(key);
}

export function groupSpec(key: GroupKey): GroupSpec {
  return isAlias(key) ? SPECS[key]() : dimensionSpec(key);
}

/** What to show for a group; the data keeps the empty key. */
export function labelOf(spec: GroupSpec, value: string): string {
  return value === '' ? `(no ${spec.label.toLowerCase()})` : value;
}
