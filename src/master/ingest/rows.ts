import { TypeCompiler } from '@sinclair/typebox/compiler';
import {
  type ConnectionFields,
  DESCRIPTIVE_FIELDS,
  type DescriptiveName,
  emptyFields,
} from '../../domain/connection.ts';
import { EARLIEST_MS, LATEST_MS } from '../../domain/time.ts';
import type { RowArray } from '../../protocol/constants.ts';
import { ROW_ARRAYS } from '../../protocol/v2.ts';
import { cut } from './cut.ts';

/**
 * Largest counter that is believed, 64 TiB: more than a line of 10 Gbit/s moves in half a day of one connection, and
 * a hundred such values still sum to a JSON number. One poisoned counter must never make every statistic fail.
 */
export const MAX_COUNTER = 2 ** 46;

const CHECKS = Object.fromEntries(
  Object.entries(ROW_ARRAYS).map(([name, schema]) => [name, TypeCompiler.Compile(schema)]),
) as unknown as Record<RowArray, { Check(value: unknown): boolean }>;

/** Whether a row has the layout of its array. */
export function isRow(array: RowArray, row: unknown): row is (number | string)[] {
  return CHECKS[array].Check(row);
}

/** Longest id of a connection, in UTF-16 units. */
const MAX_ID = 256;
/** The first minute that a sample or a total may be of; v1 records say less of their time, and get one. */
export const FIRST_MINUTE = EARLIEST_MS / 60_000;

/**
 * Whether a text can be the id of a connection. Half a surrogate pair is no character: SQLite replaces it, and two
 * ids would become one key.
 */
export function isId(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text.length <= MAX_ID && text.isWellFormed();
}

/** Epoch ms that every part of the master can show as a time; 0 is "not said". */
export function isShowable(ms: number): boolean {
  return ms <= LATEST_MS;
}

const EMPTY = emptyFields('');

/** The fields of a v2 connection row, or null when it names strings that are not there. */
export function fieldsOfRow(row: (number | string)[], strings: readonly string[]): ConnectionFields | null {
  const id = strings[Number(row[0])];
  if (!isId(id)) return null;
  const fields = { ...EMPTY, id } as ConnectionFields & Record<DescriptiveName, string | number>;
  // A core's nonsense about the start is no reason to lose the connection's bytes.
  fields.start = isShowable(Number(row[1])) ? Number(row[1]) : 0;
  for (const [i, field] of DESCRIPTIVE_FIELDS.entries()) {
    const value = row[5 + i];
    if (field.type === 'integer') {
      fields[field.name] = Number(value) as never;
      continue;
    }
    const text = strings[Number(value)];
    if (text === undefined) return null;
    fields[field.name] = cut(text, field.max) as never;
  }
  return fields;
}
