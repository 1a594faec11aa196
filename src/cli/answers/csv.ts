/** What spreadsheets take for the begin of a formula, also behind blanks. */
const FORMULA = /^\s*[=+\-@]|^[\t\r\n]/;

/**
 * Rows as CSV (RFC 4180). Texts are names from the network: one that a spreadsheet would run as a formula gets an
 * apostrophe in front. Numbers are written as they are; null is an empty cell.
 */
export function csvOf(rows: readonly (readonly (string | number | null)[])[]): string {
  return rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('');
}

function cellOf(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
