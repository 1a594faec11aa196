import { FILTER_FIELDS, type FilterField, OPERATORS_OF, unknownOf } from '../src/domain/filter/fields.ts';
import { between, markdownTable } from './markdown.ts';

/** Operators as they are written, with what stands behind them. */
const WRITTEN: Readonly<Record<string, string>> = { empty: 'is empty', 'not empty': 'is not empty' };

/** Fields with the same operators and the same places stand in one row, in the order of the language. */
export function fieldTable(): string {
  const rows = new Map<string, { names: string[]; operators: string; known: string }>();
  for (const field of FILTER_FIELDS) {
    const known = knownOf(field);
    if (known === '') continue;
    const operators = OPERATORS_OF[field.type].map((op) => `\`${WRITTEN[op] ?? op}\``).join(' ');
    const row = rows.get(operators + known) ?? { names: [], operators, known };
    row.names.push(`\`${field.name}\``);
    rows.set(operators + known, row);
  }
  return markdownTable(
    ['fields', 'operators', 'known of'],
    [...rows.values()].map(({ names, operators, known }) => [names.join(', '), operators, known]),
  ).join('\n');
}

function knownOf(field: FilterField): string {
  const places = { facts: 'traffic', connections: 'connections' } as const;
  return (['facts', 'connections'] as const)
    .filter((subject) => unknownOf(field, subject) === undefined)
    .map((subject) => places[subject])
    .join(', ');
}

/** A document with the table between its markers replaced; undefined when the markers are missing. */
export function withFieldTable(document: string): string | undefined {
  return between(document, '<!-- fields:start -->', '<!-- fields:end -->', `\n${fieldTable()}`);
}
