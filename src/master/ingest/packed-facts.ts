import { emptyFields } from '../../domain/connection.ts';
import { FACT_FIELDS } from '../../domain/fact-columns.ts';
import type { Fact, FactKind } from '../store/store.ts';

/** A row of facts as `Lots` reads it: the numbers of `NUMBERS`, the agent, then the values of FACT_FIELDS. */
export type FactRow = (number | string | null)[];

/** Columns of a fact row that are numbers; `known`: 1 when the record of the connection is there. */
export const NUMBERS = [
  'conn',
  'kind',
  'bucket',
  'prev',
  'recovered',
  'down',
  'up',
  'conns',
  'known',
] as const;

const AGENT = NUMBERS.length;
const WIDTH = NUMBERS.length + 1 + FACT_FIELDS.length;
const NONE = -1;

/**
 * Facts on their way from the thread of the merge to the main thread: numbers in one typed array, each text once. As
 * objects they cost both threads more than everything else that happens to a fact, for a copy spells out every key.
 */
export interface PackedFacts {
  rows: number;
  /** WIDTH cells a row; of a text its place in `strings`. */
  cells: Float64Array;
  strings: string[];
}

export function packFacts(rows: readonly FactRow[]): PackedFacts {
  const cells = new Float64Array(rows.length * WIDTH);
  const strings: string[] = [];
  const places = new Map<string, number>();
  let at = 0;
  for (const row of rows) {
    for (let i = 0; i < NUMBERS.length; i++) cells[at++] = Number(row[i]);
    for (let i = AGENT; i < WIDTH; i++) {
      const value = row[i];
      if (value === null || value === undefined) {
        cells[at++] = NONE;
        continue;
      }
      const text = String(value);
      let place = places.get(text);
      if (place === undefined) {
        place = strings.push(text) - 1;
        places.set(text, place);
      }
      cells[at++] = place;
    }
  }
  return { rows: rows.length, cells, strings };
}

export function unpackFacts({ rows, cells, strings }: PackedFacts): Fact[] {
  return Array.from({ length: rows }, (_, row) => {
    const base = row * WIDTH;
    const [conn = 0, kind = 0, bucket = 0, prev = 0, recovered, download = 0, upload = 0, conns, known] =
      cells.subarray(base, base + NUMBERS.length);
    return {
      conn,
      kind: kind as FactKind,
      bucket,
      prev,
      recovered: recovered === 1,
      download,
      upload,
      conns: conns === 1 ? 1 : 0,
      agent: strings[cells[base + AGENT] ?? NONE] ?? '',
      fields: known === 1 ? fieldsAt(cells, base + AGENT + 1, strings) : null,
    };
  });
}

const EMPTY = emptyFields('');

function fieldsAt(cells: Float64Array, base: number, strings: readonly string[]): Fact['fields'] {
  return fieldsOf(FACT_FIELDS.map((_, i) => strings[cells[base + i] ?? NONE] ?? null));
}

/** Values of FACT_FIELDS by name. Columns of the original's rows may be NULL, which means what nothing means. */
export function fieldsOf(values: FactRow): NonNullable<Fact['fields']> {
  const fields: Record<string, string> = {};
  FACT_FIELDS.forEach((name, i) => {
    const value = values[i];
    fields[name] = value === null || value === undefined ? EMPTY[name] : String(value);
  });
  return fields as NonNullable<Fact['fields']>;
}
