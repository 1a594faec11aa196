import { type Dictionary, FACT_DIMENSIONS, type QueryDimension } from '../../domain/dimensions.ts';
import { DICTIONARY_KEYS } from '../../domain/fact-columns.ts';
import { dimensionOf } from './group-keys.ts';
import type { WallClock } from './hour-of-week.ts';
import { named, type Sql, sql } from './sql.ts';

/** One dimension that facts are grouped by, as SQL. */
export interface Grouping {
  readonly name: QueryDimension;
  /** What people call it. */
  readonly label: string;
  /** Over a fact: its value, or the id of the value's entry in the dictionary. */
  readonly id: Sql;
  /** Where the id is one of a dictionary: its table. */
  readonly dictionary: Sql | null;
  /** The dictionary has so many entries that a join with all of them would cost more than one with some. */
  readonly crowded: boolean;
  /** Each id stands for another text, so ids can be ranked, and names looked up last. */
  readonly direct: boolean;
  /** So many values that the top ones are found before the rest is computed. */
  readonly wide: boolean;
  /** The text of a group, from the id, or where there is a dictionary from its joined entry `entry` (null for none). */
  text(id: Sql, entry: Sql): Sql;
}

/** Tens of thousands of entries each, where rules and chains have hundreds. */
const CROWDED: readonly Dictionary[] = ['host', 'ip'];

/** Where an entry has this one key, its text and its id are one to one. */
function isOnlyKey(dictionary: Dictionary, entry: string): boolean {
  const keys: readonly string[] = DICTIONARY_KEYS[dictionary];
  return keys.length === 1 && keys[0] === entry;
}

export function groupingOf(name: QueryDimension, clock: WallClock): Grouping {
  const ofFacts = FACT_DIMENSIONS.find((dimension) => dimension.name === name);
  if (ofFacts !== undefined) {
    const id = ofFacts.name === 'recovered' ? sql`recovered` : clock.hourOfWeek;
    const text = (value: Sql) => sql`${value}::VARCHAR`;
    return {
      name,
      label: ofFacts.label,
      id,
      dictionary: null,
      crowded: false,
      direct: true,
      wide: false,
      text,
    };
  }
  const dimension = dimensionOf(name);
  const { label, dictionary, entry, wide = false } = dimension;
  const id = named(dimension.column);
  if (dictionary === undefined || entry === undefined) {
    // A port of 0 is one that the core did not say.
    const text = (value: Sql) =>
      dimension.type === 'number' ? sql`CASE WHEN ${value} = 0 THEN '' ELSE ${value}::VARCHAR END` : value;
    return { name, label, id, dictionary: null, crowded: false, direct: true, wide, text };
  }
  return {
    name,
    label,
    id,
    dictionary: named(dictionary),
    crowded: CROWDED.includes(dictionary),
    direct: isOnlyKey(dictionary, entry),
    wide,
    text: (_id, joined) => sql`coalesce(${joined}.${named(entry)}, '')`,
  };
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** What to show for a value; the key keeps it as it is. */
export function labelOfKey({ name, label }: Grouping, key: string): string {
  if (key === '') return `(no ${label.toLowerCase()})`;
  if (name !== 'hour_of_week') return key;
  const hour = Number(key);
  return `${DAYS[Math.floor(hour / 24)]} ${String(hour % 24).padStart(2, '0')}:00`;
}
