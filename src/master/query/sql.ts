import { DIMENSIONS } from '../../domain/dimensions.ts';
import { DICTIONARY_KEYS } from '../../domain/fact-columns.ts';
import type { SqlQuery, SqlValue } from '../store/store.ts';

/** A piece of SQL: literal text of this program, with values and other pieces between. */
export class Sql {
  readonly #strings: readonly string[];
  readonly #parts: readonly (Sql | SqlValue)[];

  constructor(strings: readonly string[], parts: readonly (Sql | SqlValue)[]) {
    this.#strings = strings;
    this.#parts = parts;
  }

  /** Text with `$1 … $n`, and the values in that order. */
  render(): SqlQuery {
    const values: SqlValue[] = [];
    return { text: this.#write(values).replaceAll(/\s+/g, ' ').trim(), values };
  }

  #write(values: SqlValue[]): string {
    let text = this.#strings[0] ?? '';
    for (const [index, part] of this.#parts.entries()) {
      if (part instanceof Sql) text += part.#write(values);
      else text += `$${values.push(part)}`;
      text += this.#strings[index + 1] ?? '';
    }
    return text;
  }
}

/**
 * SQL by template: what stands between the quotes is text of this program, what stands in `${}` becomes a
 * parameter unless it is a piece made here. There is no other way to get text into a statement.
 */
export function sql(strings: TemplateStringsArray, ...parts: (Sql | SqlValue)[]): Sql {
  if (!Array.isArray(strings.raw) || !Object.isFrozen(strings)) throw new Error('sql is a template tag');
  return new Sql(strings, parts);
}

/** What the entry of a fact's id is called where a statement joins those of all its columns. */
export function entryAlias(column: string): string {
  return `entry_${column}`;
}

const NAMES: ReadonlySet<string> = new Set([
  ...DIMENSIONS.flatMap(({ name, column, dictionary, entry }) => [
    name,
    column,
    entryAlias(column),
    ...(dictionary === undefined ? [] : [dictionary]),
    ...(entry === undefined ? [] : [entry]),
  ]),
  ...Object.keys(DICTIONARY_KEYS),
  ...Object.values(DICTIONARY_KEYS).flat(),
]);

/** A column or dictionary that the dimension table names; anything else is a bug. */
export function named(name: string): Sql {
  if (!NAMES.has(name)) throw new Error(`${name} is no column of the dimension table`);
  return new Sql([`"${name}"`], []);
}

/** Pieces or values side by side: `a, b` by default. */
export function listed(
  parts: readonly (Sql | SqlValue)[],
  separator: ', ' | ' AND ' | ' OR ' | ' + ' | ' UNION ALL ' | ' ' = ', ',
): Sql {
  if (parts.length === 0) return new Sql([''], []);
  return new Sql(['', ...new Array<string>(parts.length - 1).fill(separator), ''], parts);
}
