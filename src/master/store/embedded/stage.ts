import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import type { Dictionary } from '../../../domain/dimensions.ts';
import { DICTIONARY_KEYS, EMPTY_ENTRIES, type FactSubject } from '../../../domain/fact-columns.ts';
import { DERIVED_COLUMNS } from '../dictionary-values.ts';
import type { Fact } from '../store.ts';
import { COLUMNS, columnList, DICTIONARIES, entryColumns } from './schema.ts';

/** Facts appended between two turns of the event loop: 250 take 1.5 ms. */
const SLICE = 250;

const STAGE_COLUMNS = [
  { name: 'kind', sql: 'UTINYINT' },
  { name: 'conn', sql: 'BIGINT' },
  { name: 'bucket', sql: 'INTEGER' },
  { name: 'prev', sql: 'INTEGER' },
  { name: 'recovered', sql: 'BOOLEAN' },
  { name: 'up', sql: 'BIGINT' },
  { name: 'down', sql: 'BIGINT' },
  { name: 'conns', sql: 'INTEGER' },
  ...COLUMNS.map(({ name, sql, dictionary }) => ({ name, sql: dictionary ? 'INTEGER' : sql })),
];

export function stageTable(dictionary: Dictionary): string {
  return `stage_${dictionary}`;
}

/** Distinct entries of one dictionary in a lot, numbered within it: strings cross to DuckDB once per lot. */
class StagedDictionary {
  readonly #dictionary: Dictionary;
  readonly #appender: DuckDBAppender;
  readonly #numbers = new Map<string, number>();

  constructor(dictionary: Dictionary, appender: DuckDBAppender) {
    this.#dictionary = dictionary;
    this.#appender = appender;
  }

  numberOf(values: readonly string[]): number {
    const keys = values.map((value) => value.toWellFormed());
    const name = keys.length === 1 ? (keys[0] ?? '') : JSON.stringify(keys);
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(name, number);
    const appender = this.#appender;
    appender.appendInteger(number);
    for (const key of keys) appender.appendVarchar(key);
    for (const column of DERIVED_COLUMNS[this.#dictionary]) {
      const value = column.derive(keys);
      if (value === null) appender.appendNull();
      else if (typeof value === 'bigint') appender.appendUHugeInt(value);
      else appender.appendVarchar(value);
    }
    appender.endRow();
    return number;
  }

  close(): void {
    this.#appender.closeSync();
  }
}

/**
 * A lot on its way in: temporary tables of facts and of their dictionary entries. They are no part of the file,
 * so nothing is written before the one transaction that moves them (`move-lot.ts`).
 */
export class Stage {
  readonly #facts: DuckDBAppender;
  readonly #dictionaries: Record<Dictionary, StagedDictionary>;
  rows = 0;
  /** Whether there are facts of kinds 1 or 2. */
  aside = false;

  private constructor(facts: DuckDBAppender, dictionaries: Record<Dictionary, StagedDictionary>) {
    this.#facts = facts;
    this.#dictionaries = dictionaries;
  }

  static async begin(connection: DuckDBConnection): Promise<Stage> {
    await connection.run(`CREATE OR REPLACE TEMP TABLE stage (${columnList(STAGE_COLUMNS)})`);
    const dictionaries: Partial<Record<Dictionary, StagedDictionary>> = {};
    for (const dictionary of DICTIONARIES) {
      const table = stageTable(dictionary);
      const columns = columnList([{ name: 'number', sql: 'INTEGER' }, ...entryColumns(dictionary)]);
      await connection.run(`CREATE OR REPLACE TEMP TABLE ${table} (${columns})`);
      dictionaries[dictionary] = new StagedDictionary(dictionary, await connection.createAppender(table));
    }
    const facts = await connection.createAppender('stage');
    return new Stage(facts, dictionaries as Record<Dictionary, StagedDictionary>);
  }

  /**
   * Appends in slices, giving the event loop a turn between them. Handing them to DuckDB costs 1.3 ms each time, and
   * 1 ms more for a thousand: so once for all of them, in a turn of its own.
   */
  async add(facts: readonly Fact[]): Promise<void> {
    for (let at = 0; at < facts.length; at += SLICE) {
      for (const fact of facts.slice(at, at + SLICE)) this.#append(fact);
      await new Promise(setImmediate);
    }
    this.#facts.flushSync();
    await new Promise(setImmediate);
    this.rows += facts.length;
  }

  close(): void {
    this.#facts.closeSync();
    for (const dictionary of DICTIONARIES) this.#dictionaries[dictionary].close();
  }

  #append(fact: Fact): void {
    const row = this.#facts;
    if (fact.kind !== 0) this.aside = true;
    row.appendUTinyInt(fact.kind);
    row.appendBigInt(BigInt(fact.conn));
    row.appendInteger(fact.bucket);
    row.appendInteger(fact.prev);
    row.appendBoolean(fact.recovered);
    row.appendBigInt(BigInt(fact.upload));
    row.appendBigInt(BigInt(fact.download));
    row.appendInteger(fact.conns);
    const subject: FactSubject | null = fact.fields && { agent: fact.agent, fields: fact.fields };
    for (const column of COLUMNS) {
      const value = subject ? column.read(subject) : this.#empty(column.name, fact);
      if (column.dictionary) {
        const keys = subject ? (value as readonly string[]) : EMPTY_ENTRIES[column.dictionary];
        row.appendInteger(this.#dictionaries[column.dictionary].numberOf(keys));
      } else if (column.sql === 'USMALLINT') row.appendUSmallInt(Number(value));
      else row.appendVarchar(String(value));
    }
    row.endRow();
  }

  /** Unattributed bytes belong to an agent and to nothing else. */
  #empty(column: string, fact: Fact): string {
    return column === 'agent' ? fact.agent : '';
  }
}

/** The columns on which a staged entry meets its entry in the dictionary. */
export function keyList(dictionary: Dictionary): string {
  return DICTIONARY_KEYS[dictionary].join(', ');
}
