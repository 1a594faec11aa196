import type { DescriptiveName } from '../../domain/connection.ts';
import { DIMENSIONS, type Dimension, type DimensionName } from '../../domain/dimensions.ts';
import { computeOf } from '../store/dictionary-values.ts';
import type { Clause } from './clause.ts';
import type { Columns } from './columns.ts';

/** The agent of rows that the original stored without one; the import gives them the same name. */
export const NO_AGENT = 'unknown';

/** A value of a record: a field of it, or what follows from one. SQL of this program, with no place for anything else. */
export interface RecordValue {
  readonly field: DescriptiveName;
  /** SQL of the value, of SQL of the field's text, which is never NULL. */
  readonly of: (text: string) => string;
  /** By a function of the domain (`sql-functions.ts`), which remembers what it made of a text. */
  readonly isComputed: boolean;
}

/** A field as it stands. */
export function plain(field: DescriptiveName): RecordValue {
  return { field, of: (text) => text, isComputed: false };
}

export function computed(name: string, field: DescriptiveName): RecordValue {
  return { field, of: (text) => `${name}(${text})`, isComputed: true };
}

/** The SQL function of a dimension that is computed. */
export function functionOf({ name }: Pick<Dimension, 'name'>): string {
  return `${name}_of`;
}

function recordValue(dimension: Dimension, field: DescriptiveName): RecordValue {
  const { blank } = dimension;
  if (computeOf(dimension) !== undefined) return computed(functionOf(dimension), field);
  if (blank === undefined) return plain(field);
  return { field, of: (text) => `iif(${text} = '', '${blank}', ${text})`, isComputed: false };
}

/** What each dimension is on a record. Records and facts mean the same by them. */
export const DIMENSION_VALUES = Object.fromEntries(
  DIMENSIONS.flatMap((dimension) =>
    dimension.field === undefined ? [] : [[dimension.name, recordValue(dimension, dimension.field)]],
  ),
) as Readonly<Record<Exclude<DimensionName, 'agent'>, RecordValue>>;

/** SQL of a value of a record `c`. */
export function valueIn(columns: Columns, { field, of }: RecordValue): string {
  return of(`ifnull(${columns.field(field)}, '')`);
}

/**
 * What `test` says of a value. Of a field as it stands every text is asked once, whatever number of records have it; a
 * function is asked record by record, for most of the dictionary is none of its texts.
 */
export function whereValue(columns: Columns, value: RecordValue, test: (sql: string) => Clause): Clause {
  if (value.isComputed) return test(valueIn(columns, value));
  return columns.where(value.field, (text) => test(value.of(text)));
}
