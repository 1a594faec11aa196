/**
 * CSV as RFC 4180 has it: CRLF, quotes where they are needed, doubled within. What a spreadsheet would take for a
 * formula is made text by a leading `'`, and reading takes that off again, so every value comes back as it was.
 */

/** Begins with what spreadsheets calculate, in ASCII or full width; or with one of ours before that. RE2 reads it alike. */
export const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;
/** Stands between quotes. RE2 reads it alike. */
export const SPECIAL = /[",\r\n]/;
/** RFC 4180 knows no NUL, and readers end a file or a line at one. */
const NUL = /\0/g;

/** Null is an empty cell, and so is an empty text. Numbers are no formulas, negative ones neither. */
export function csvCell(value: string | number | bigint | boolean | null): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const text = (FORMULA.test(value) ? `'${value}` : value).toWellFormed().replace(NUL, '\uFFFD');
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvLine(cells: readonly (string | number | bigint | boolean | null)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** The value of a cell that `csvCell` wrote. */
export function csvValue(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}
