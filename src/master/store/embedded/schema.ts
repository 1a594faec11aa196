import type { Dictionary } from '../../../domain/dimensions.ts';
import { DICTIONARY_KEYS, EMPTY_ENTRIES, FACT_COLUMNS } from '../../../domain/fact-columns.ts';
import { DERIVED_COLUMNS } from '../dictionary-values.ts';

/**
 * Grows with every change of what `freshSchema` creates, together with a step in `migrations.ts`. Columns that come from
 * the dimension table are not meant: a file that lacks one gets it (`dimension-columns.ts`).
 */
export const SCHEMA_VERSION = 2;

export const DICTIONARIES = Object.keys(DICTIONARY_KEYS) as Dictionary[];
export const COLUMNS = FACT_COLUMNS;

/** The tables of facts by tier, finest first. `aside`: kinds 1 and 2, with the kind as first column. */
export const TIERS = {
  minute: { counted: 'minute', aside: 'minute_aside' },
  half_hour: { counted: 'half_hour', aside: 'half_hour_aside' },
} as const;

/** Where a lot's facts go; the coarse tier is made from these (`rollup.ts`). */
export const FACT_TABLES = TIERS.minute;

/** Tables of facts, of which each row has its lot; one of the coarse tier that of the rollup that made it. */
export const ALL_FACT_TABLES = Object.values(TIERS).flatMap(({ counted, aside }) => [counted, aside]);

/**
 * Tables whose rows belong to a lot, in `lot`: what a cut empties. A table added here is cut with the others;
 * nothing else keeps lots.
 */
export const LOT_TABLES = [...ALL_FACT_TABLES, 'lots', 'rollups', 'missing'] as const;

/** A name as SQL takes it, reserved words (`group`) included. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Columns of an entry beside its id: keys, then what derives from them. */
export function entryColumns(dictionary: Dictionary): { name: string; sql: string }[] {
  const keys = DICTIONARY_KEYS[dictionary].map((name) => ({ name, sql: 'VARCHAR' }));
  return [...keys, ...DERIVED_COLUMNS[dictionary].map(({ name, sql }) => ({ name, sql }))];
}

export function columnList(columns: readonly { name: string; sql: string }[]): string {
  return columns.map(({ name, sql }) => `${quoted(name)} ${sql}`).join(', ');
}

/** A column of facts, and what it says of facts that know nothing of it: of no connection, or older than it. */
export interface DimensionColumn {
  readonly name: string;
  readonly sql: string;
  readonly empty: string;
}

/** Columns of a fact that say what its bytes are grouped by: values, or ids of dictionary entries. */
export const DIMENSION_COLUMNS: readonly DimensionColumn[] = COLUMNS.map(({ name, sql, dictionary }) => ({
  name,
  sql: dictionary === undefined ? sql : 'INTEGER',
  empty: dictionary === undefined && sql === 'VARCHAR' ? "''" : '0',
}));

/** As it stands in `CREATE TABLE`: rows of a program that does not know the column are those of no value. */
export function declared({ name, sql, empty }: DimensionColumn): { name: string; sql: string } {
  return { name, sql: `${sql} DEFAULT ${empty}` };
}

/**
 * `conn` (of minutes only) is the number of the record; `bucket` and `prev` are minutes since the epoch; `up` and `down` bytes.
 * No key and no index: neither ingest nor any query needs one, and rows lie in the order of lots and time.
 */
const HALF_HOUR_COLUMNS = [
  { name: 'lot', sql: 'INTEGER' },
  { name: 'bucket', sql: 'INTEGER' },
  { name: 'prev', sql: 'INTEGER' },
  ...DIMENSION_COLUMNS.map(declared),
  { name: 'recovered', sql: 'BOOLEAN' },
  { name: 'up', sql: 'BIGINT' },
  { name: 'down', sql: 'BIGINT' },
  { name: 'conns', sql: 'INTEGER' },
];
const MINUTE_COLUMNS = [{ name: 'conn', sql: 'BIGINT' }, ...HALF_HOUR_COLUMNS];

/**
 * The last row of `rollups` is the coarse tier's watermark: all lots up to it are in it. `missing` says of bytes that
 * are in no tier, between two buckets, whose lots (`lot` to `last_lot`) they were; lots that are gaps say it themselves.
 */
export const COARSE_TIER = [
  `CREATE TABLE half_hour (${columnList(HALF_HOUR_COLUMNS)})`,
  `CREATE TABLE half_hour_aside (kind UTINYINT, ${columnList(HALF_HOUR_COLUMNS)})`,
  'CREATE TABLE rollups (lot INTEGER PRIMARY KEY, made_at BIGINT)',
  'CREATE TABLE missing (lot INTEGER, last_lot INTEGER, first_bucket INTEGER, last_bucket INTEGER, up BIGINT, down BIGINT, reason VARCHAR)',
];

/** A value as SQL writes it. */
function literal(value: string | bigint | null): string {
  if (value === null) return 'NULL';
  return typeof value === 'bigint' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

function dictionaryTable(dictionary: Dictionary): string[] {
  const empty: readonly string[] = EMPTY_ENTRIES[dictionary];
  const values = [...empty, ...DERIVED_COLUMNS[dictionary].map((column) => column.derive(empty))];
  return [
    `CREATE TABLE ${dictionary} (id INTEGER, ${columnList(entryColumns(dictionary))})`,
    `INSERT INTO ${dictionary} VALUES (0, ${values.map(literal).join(', ')})`,
  ];
}

/** Statements that make an empty file a store of `SCHEMA_VERSION`; run in one transaction. */
export function freshSchema(): string[] {
  return [
    'CREATE TABLE meta (key VARCHAR, value VARCHAR)',
    `INSERT INTO meta VALUES ('schema_version', '${SCHEMA_VERSION}'), ('floor', '0')`,
    'CREATE TABLE lots (lot INTEGER PRIMARY KEY, token UBIGINT, state VARCHAR, rows INTEGER, flushed_at BIGINT, first_bucket INTEGER, last_bucket INTEGER, up BIGINT, down BIGINT)',
    ...DICTIONARIES.flatMap(dictionaryTable),
    `CREATE TABLE minute (${columnList(MINUTE_COLUMNS)})`,
    `CREATE TABLE minute_aside (kind UTINYINT, ${columnList(MINUTE_COLUMNS)})`,
    ...COARSE_TIER,
  ];
}
