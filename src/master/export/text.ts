import { csvLine } from '../../domain/csv.ts';
import type { LineFormat } from './fact-lines.ts';
import type { Cell, Row, Table } from './table.ts';

/** Pieces in which texts leave, bytes: small enough that a slow reader is seen to read. */
export const PIECE = 64 * 1024;

/** The table as text. */
export function textOf(table: Table, format: LineFormat): AsyncGenerator<Uint8Array> {
  return format === 'csv' ? csvText(table) : ndjsonText(table);
}

/** A line of column names, then one for each row. */
async function* csvText({ columns, rows }: Table): AsyncGenerator<Uint8Array> {
  yield Buffer.from(csvLine(columns.map(({ name }) => name)));
  yield* inPieces(rows, csvLine);
}

/** A line of JSON for each row, all with the same names in the same order. */
export async function* ndjsonText({ columns, rows }: Table): AsyncGenerator<Uint8Array> {
  const heads = columns.map(({ name }, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  yield* inPieces(rows, (row) => {
    let line = '';
    for (const [index, head] of heads.entries()) line += head + json(row[index] ?? null);
    return `${line}}\n`;
  });
}

/** A lone surrogate would be valid JSON that most readers refuse. */
function json(cell: Cell): string {
  if (typeof cell === 'string') return JSON.stringify(cell.toWellFormed());
  return cell === null ? 'null' : String(cell);
}

async function* inPieces(
  batches: AsyncIterable<readonly Row[]>,
  write: (row: Row) => string,
): AsyncGenerator<Uint8Array> {
  let piece = '';
  for await (const batch of batches) {
    for (const row of batch) {
      piece += write(row);
      if (piece.length < PIECE) continue;
      yield Buffer.from(piece);
      piece = '';
    }
    // Between two batches nobody else of this thread waits for longer than for one.
    if (piece === '') continue;
    yield Buffer.from(piece);
    piece = '';
  }
}
