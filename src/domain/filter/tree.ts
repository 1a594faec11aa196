/** A filter expression as a tree; `docs/http-api.md`, filters. */
export type Filter = Junction | Negation | Test | Word;

/** At least two parts, none of them a junction of the same kind. */
export interface Junction {
  readonly kind: 'and' | 'or';
  readonly parts: readonly Filter[];
}

export interface Negation {
  readonly kind: 'not';
  readonly of: Filter;
}

/** `in` and `not in` have one value or more, `empty` and `not empty` none, the others one. */
export interface Test {
  readonly kind: 'test';
  readonly field: string;
  readonly op: Operator;
  /** As written; what they mean follows from the type of the field (`values.ts`). */
  readonly values: readonly string[];
}

/** Host, process, device, node or rule contains it. */
export interface Word {
  readonly kind: 'word';
  readonly text: string;
}

export const OPERATORS = [
  '=',
  '!=',
  '~',
  '!~',
  '=~',
  '<',
  '<=',
  '>',
  '>=',
  'under',
  'in',
  'not in',
  'empty',
  'not empty',
] as const;
export type Operator = (typeof OPERATORS)[number];

/** Offsets in UTF-16 units, end exclusive. */
export type Span = readonly [from: number, to: number];

/** Something wrong with a text, and what would help. */
export interface FilterError {
  readonly at: Span;
  readonly problem: string;
  readonly hint: string;
}
