import { DIMENSIONS, FACT_DIMENSIONS, QUERY_DIMENSIONS } from '../src/domain/dimensions.ts';
import { RECORD_ONLY } from '../src/domain/filter/fields.ts';
import { between, markdownTable } from './markdown.ts';

const START = '<!-- dimensions:start -->';
const END = '<!-- dimensions:end -->';

interface Described {
  readonly name: string;
  readonly label: string;
  readonly about?: string;
  readonly values?: readonly string[];
}

function code(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ');
}

function row({ name, label, about = '', values }: Described): string[] {
  const meaning = [about, ...(values === undefined ? [] : [code(values)])].filter((text) => text !== '');
  return [`\`${name}\``, label, meaning.join(': ')];
}

/** Every dimension with what it says, and what of a connection is none. */
export function dimensionTable(): string {
  const rows: readonly Described[] = [...DIMENSIONS, ...FACT_DIMENSIONS];
  return [
    ...markdownTable(['dimension', 'called', 'meaning'], rows.map(row)),
    '',
    `On connection records only: ${code(RECORD_ONLY)}.`,
  ].join('\n');
}

/** `docs/http-api.md` with the table; undefined when the markers are missing. */
export function withDimensionTable(document: string): string | undefined {
  return between(document, START, END, `\n${dimensionTable()}`);
}

/** Their names in lines of a document, as wide as they are here. */
const WIDTH = 136;

/** `docs/command-line.md` with the names; undefined when the markers are missing. */
export function withDimensionNames(document: string): string | undefined {
  const lines: string[] = [];
  for (const word of code(QUERY_DIMENSIONS).split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return between(document, START, END, `\n${lines.join('\n')}`);
}
