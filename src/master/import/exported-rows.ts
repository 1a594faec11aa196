import { createReadStream } from 'node:fs';
import { CodedError } from '../../common/errors.ts';
import { linesOf } from '../../common/lines.ts';
import { CsvReader, MAX_ROW } from '../../domain/csv-reader.ts';
import type { ExportedRow } from '../ingest/exported-merge.ts';
import { importedAs } from './file-kind.ts';

/** A row of a file, or what is wrong with it; by its line from 1, in Parquet by its number. */
export type ReadRow =
  | { readonly line: number; readonly row: ExportedRow }
  | { readonly line: number; readonly problem: string };

/** Reads a Parquet file in pieces; each tells the names of all columns. */
export type TableReader = (
  path: string,
) => AsyncGenerator<{ names: readonly string[]; rows: readonly Readonly<Record<string, unknown>>[] }>;

/** What tells an export of connections from anything else. */
const NEEDED = ['id', 'agent_id', 'last_updated', 'download', 'upload', 'base_download', 'counted'];

/**
 * The rows of an export of connections, one after the other. Throws `import_refused` for
 * files that are none, and `file_unusable` for those that cannot be read.
 */
export async function* exportedRows(path: string, readParquet: TableReader): AsyncGenerator<ReadRow> {
  try {
    yield* READERS[importedAs(path)](path, readParquet);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('file_unusable', `cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

const READERS = { csv: csvRows, ndjson: jsonRows, parquet: parquetRows };

function refuseOthers(path: string, names: readonly string[]): void {
  if (names.includes('bucket') && names.includes('kind')) {
    throw new CodedError(
      'import_refused',
      `${path} holds facts, which cannot be told from those that are here already: export with --what connections`,
    );
  }
  if (names.includes('part')) {
    throw new CodedError(
      'import_refused',
      `${path} holds the answer to a query, sums that no record can be made of: export with --what connections`,
    );
  }
  const missing = NEEDED.filter((name) => !names.includes(name));
  if (missing.length === 0) return;
  throw new CodedError(
    'import_refused',
    missing.length === NEEDED.length
      ? `${path} is no export of connections: its columns are ${names.slice(0, 5).join(', ')}${names.length > 5 ? ' …' : ''}`
      : `${path} is no whole export of connections: it has no ${missing.join(', no ')}`,
  );
}

async function* csvRows(path: string): AsyncGenerator<ReadRow> {
  const reader = new CsvReader();
  let names: readonly string[] | null = null;
  const taken = function* (rows: Iterable<{ line: number; cells: readonly string[] }>): Generator<ReadRow> {
    for (const { line, cells } of rows) {
      if (names === null) {
        // Programs for spreadsheets put a mark before UTF-8.
        names = cells.map((name, index) => (index === 0 ? name.replace(/^\ufeff/, '') : name));
        refuseOthers(path, names);
      } else if (cells.length !== names.length) {
        yield { line, problem: `has ${cells.length} cells, and the first line ${names.length}` };
      } else {
        yield { line, row: Object.fromEntries(names.map((name, index) => [name, cells[index]])) };
      }
    }
  };
  for await (const text of createReadStream(path, 'utf8')) yield* taken(reader.push(text as string));
  yield* taken(reader.end());
}

async function* jsonRows(path: string): AsyncGenerator<ReadRow> {
  let isKnown = false;
  for await (const { line, text } of linesOf(createReadStream(path, 'utf8'), MAX_ROW)) {
    if (text === null) {
      yield { line, problem: `is longer than ${MAX_ROW} characters` };
      continue;
    }
    if (text.trim() === '') continue;
    const row = parsed(text);
    if (row === null) {
      yield { line, problem: 'is no JSON object' };
      continue;
    }
    if (!isKnown) refuseOthers(path, Object.keys(row));
    isKnown = true;
    yield { line, row };
  }
}

function parsed(text: string): ExportedRow | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as ExportedRow)
      : null;
  } catch {
    return null;
  }
}

async function* parquetRows(path: string, readParquet: TableReader): AsyncGenerator<ReadRow> {
  let line = 0;
  for await (const { names, rows } of readParquet(path)) {
    if (line === 0) refuseOthers(path, names);
    for (const row of rows) {
      line++;
      yield { line, row: plain(row) };
    }
  }
}

/** Times as texts, and whole numbers as numbers, as the other formats have them. */
function plain(row: Readonly<Record<string, unknown>>): ExportedRow {
  const entries = Object.entries(row).map(([name, value]) => {
    if (typeof value === 'bigint') return [name, Number(value)];
    return [name, value instanceof Date ? value.toISOString() : value];
  });
  return Object.fromEntries(entries) as ExportedRow;
}
