import type { Sqlite } from '../../common/sqlite.ts';
import { columnOf, DESCRIPTIVE_FIELDS } from '../../domain/connection.ts';
import { FACT_FIELDS } from '../../domain/fact-columns.ts';
import { TEXT_COLUMNS } from '../layout/columns.ts';
import { type TextNames, textNames } from '../layout/texts.ts';
import type { FactRow } from './packed-facts.ts';

/** Columns of `records` with the values of FACT_FIELDS, in their order. */
export const FIELD_COLUMNS: readonly string[] = FACT_FIELDS.map((name) => {
  const field = DESCRIPTIVE_FIELDS.find((descriptive) => descriptive.name === name);
  return field === undefined ? name : columnOf(field);
});

/** Puts texts in the place of what stands for them in rows of facts: SQL would take longer to look for them. */
export class FactTexts {
  readonly #names: TextNames;
  readonly #places: readonly number[];

  /** `columns`: those of a row. */
  constructor(db: Sqlite, columns: readonly string[]) {
    this.#names = textNames(db);
    this.#places = columns.flatMap((column, place) => (TEXT_COLUMNS.includes(column) ? [place] : []));
  }

  /** Changes the row that it is given, and returns it. */
  into(row: (number | string | Buffer | null)[]): FactRow {
    for (const place of this.#places) row[place] = this.#names.of(row[place] ?? null);
    // What is left of bytes is a port that is no number.
    return row.map((value) => (Buffer.isBuffer(value) ? value.toString() : value));
  }
}
