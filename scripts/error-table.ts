import { ERRORS } from '../src/common/errors.ts';
import { between, markdownTable } from './markdown.ts';

export const ERRORS_START = '<!-- errors:start -->';
export const ERRORS_END = '<!-- errors:end -->';

/** A pipe would end the cell, `<` outside of code could begin HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/<(?![^`]*`)/g, '&lt;');
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
  return between(document, ERRORS_START, ERRORS_END, errorTables());
}

/** The codes that the tables of a document name, in their order. */
export function documentedCodes(document: string): string[] {
  const part = document.slice(document.indexOf(ERRORS_START), document.indexOf(ERRORS_END));
  return [...part.matchAll(/^\|(?: \d{3} +\|)? `([a-z_]+)` +\|/gm)].map((match) => match[1] ?? '');
}
