import type { ConnectionFields } from './connection.ts';
import { DIMENSIONS, type Dictionary, type Dimension, type FactField } from './dimensions.ts';

/** The fields of a connection that some dimension is read from, each once. */
export const FACT_FIELDS: readonly FactField[] = [...new Set(DIMENSIONS.flatMap(({ field }) => field ?? []))];

export type FactFields = Pick<ConnectionFields, FactField>;

/** What a fact is read from: the connection, and the agent that reported it. */
export interface FactSubject {
  agent: string;
  fields: FactFields;
}

/** A column of a fact, in the order in which facts travel from the records to the fact store. */
export interface FactColumn {
  readonly name: string;
  readonly sql: 'VARCHAR' | 'USMALLINT';
  readonly dictionary?: Dictionary;
  /** The values, one for each source column of the dictionary, or one for a plain column. */
  read(subject: FactSubject): readonly string[] | string | number;
}

/** The columns of each dictionary that facts are joined on; the others derive from them. */
export const DICTIONARY_KEYS = {
  host: ['host'],
  ip: ['ip'],
  rule: ['type', 'payload'],
  chain: ['chains', 'provider'],
} as const satisfies Record<Dictionary, readonly string[]>;

/** The entry that says nothing, by dictionary: it has id 0 in every store, and facts without fields refer to it. */
export const EMPTY_ENTRIES = {
  host: [''],
  ip: [''],
  rule: ['', ''],
  chain: ['[]', ''],
} as const satisfies Record<Dictionary, readonly string[]>;

/** Which of a dictionary's keys a dimension derives from, or is; -1 for none. */
export function keyPlace({ column, dictionary, field }: Dimension): number {
  if (dictionary === undefined) return -1;
  const keys: readonly string[] = DICTIONARY_KEYS[dictionary];
  return keys.findIndex((key) =>
    DIMENSIONS.some((other) => other.column === column && other.entry === key && other.field === field),
  );
}

function textReader({ field, blank = '' }: Dimension): (subject: FactSubject) => string {
  if (field === undefined) return ({ agent }) => agent;
  return ({ fields }) => fields[field] || blank;
}

function columnFor(name: string): FactColumn {
  const over = DIMENSIONS.filter(({ column }) => column === name);
  const [first] = over;
  if (first === undefined) throw new Error(`no dimension has the column ${name}`);
  const { dictionary, sql = 'VARCHAR', of } = first;
  if (dictionary === undefined) {
    const text = textReader(first);
    return { name, sql, read: of === undefined ? text : (subject) => of(text(subject)) };
  }
  const readers = DICTIONARY_KEYS[dictionary].map((key) => {
    const dimension = over.find(({ entry }) => entry === key);
    if (dimension === undefined) throw new Error(`no dimension says what ${key} of ${name} is read from`);
    return textReader(dimension);
  });
  return { name, sql, dictionary, read: (subject) => readers.map((read) => read(subject)) };
}

export const FACT_COLUMNS: readonly FactColumn[] = [...new Set(DIMENSIONS.map(({ column }) => column))].map(
  columnFor,
);
