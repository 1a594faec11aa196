import { ERRORS } from '../src/common/errors.ts';

export const ERRORS_START = '<!-- errors:start -->';
export const ERRORS_END = '<!-- errors:end -->';

/** A pipe would end the cell, `<` outside of code could begin HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/<(?![^`]*`)/g, '&lt;');
}

/** Columns padded as the formatter pads Markdown, so that both agree on the file. */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

/** The catalogue as Markdown: what HTTP clients are answered, then what ends a command with a message. */
export function errorTables(): string {
  const entries = Object.entries(ERRORS).map(([code, { status, hint }]) => ({ code, status, hint }));
  const answered = entries
    .filter(({ status }) => status !== 0)
    .sort((a, b) => a.status - b.status || (a.code < b.code ? -1 : 1))
    .map(({ code, status, hint }) => [String(status), `\`${code}\``, cell(hint)]);
  const told = entries
    .filter(({ status }) => status === 0)
    .sort((a, b) => (a.code < b.code ? -1 : 1))
    .map(({ code, hint }) => [`\`${code}\``, cell(hint)]);
  return [
    'Answered to clients:',
    '',
    ...markdownTable(['Status', 'Code', 'Hint'], answered),
    '',
    'Never sent to a client: a command that cannot start says why on standard error, with this hint, and exits 2.',
    '',
    ...markdownTable(['Code', 'Hint'], told),
  ].join('\n');
}

/** A document with the tables between its markers replaced; undefined when the markers are missing. */
export function withErrorTables(document: string): string | undefined {
  const start = document.indexOf(ERRORS_START);
  const end = document.indexOf(ERRORS_END);
  if (start < 0 || end < start) return undefined;
  const before = document.slice(0, start + ERRORS_START.length);
  return `${before}\n${errorTables()}\n\n${document.slice(end)}`;
}

/** The codes that the tables of a document name, in their order. */
export function documentedCodes(document: string): string[] {
  const part = document.slice(document.indexOf(ERRORS_START), document.indexOf(ERRORS_END));
  return [...part.matchAll(/^\|(?: \d{3} +\|)? `([a-z_]+)` +\|/gm)].map((match) => match[1] ?? '');
}
