import { isBare } from './lexer.ts';
import type { Filter, Test } from './tree.ts';

/** The canonical text of a filter: parsing it gives the same tree. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'word':
      return printValue(filter.text);
    case 'test':
      return printTest(filter);
    case 'not':
      return `not ${inner(filter.of, filter.of.kind === 'and' || filter.of.kind === 'or')}`;
    case 'and':
      return filter.parts.map((part) => inner(part, part.kind === 'or')).join(' and ');
    case 'or':
      return filter.parts.map((part) => printFilter(part)).join(' or ');
  }
}

function inner(filter: Filter, parentheses: boolean): string {
  return parentheses ? `(${printFilter(filter)})` : printFilter(filter);
}

function printTest({ field, op, values }: Test): string {
  if (op === 'empty' || op === 'not empty') return `${field} is ${op}`;
  const [first = ''] = values;
  if (op === 'in' || op === 'not in') return `${field} ${op} (${values.map(printValue).join(', ')})`;
  return `${field} ${op} ${printValue(first)}`;
}

/** A value as it is written: in quotes where it must be. */
export function printValue(text: string): string {
  if (isBare(text)) return text;
  // Lone surrogates and control characters are written by number, so that the text survives any way it travels.
  const escaped = text.replace(/["\\]|\p{Cc}|\p{Cs}/gu, (char) =>
    char === '"' || char === '\\' ? `\\${char}` : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}
