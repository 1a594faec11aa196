import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { CodedError } from '../../common/errors.ts';
import { systemError } from '../../common/system-error.ts';

/** What an import reads, by the ending of the name. */
export const READ_AS = {
  '.csv': 'csv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.parquet': 'parquet',
} as const;
type ReadAs = (typeof READ_AS)[keyof typeof READ_AS];

/** What stands at the begin of files that are something else, and what to do with them. */
const OTHERS: readonly { at: number; mark: string; is: string }[] = [
  {
    at: 0,
    mark: 'SQLite format 3\0',
    is: "is an SQLite database: if it is a master's or the original's, start the master with --database on it (or on a copy); if it is an agent's, start the agent with --local-database on it",
  },
  { at: 8, mark: 'DUCK', is: 'is the facts file of a master: it is moved together with its database' },
  { at: 0, mark: '\x1f\x8b', is: 'is compressed: unpack it first (gzip -d)' },
  { at: 0, mark: '\x28\xb5\x2f\xfd', is: 'is compressed: unpack it first (zstd -d)' },
  {
    at: 0,
    mark: 'PK\x03\x04',
    is: 'is a ZIP archive or a spreadsheet: unpack it, or save the sheet as CSV (UTF-8)',
  },
  { at: 0, mark: '\xff\xfe', is: 'is UTF-16: save it as UTF-8' },
  { at: 0, mark: '\xfe\xff', is: 'is UTF-16: save it as UTF-8' },
];

/** Bytes that tell what a file is. */
const HEAD = 64;

/**
 * How a file is to be read. Throws `import_refused` with what it is instead and what to do with that, and `file_unusable`
 * for one that cannot be read; before anything is opened or made.
 */
export function importedAs(path: string): ReadAs {
  const refuse = (is: string): never => {
    throw new CodedError('import_refused', `${path} ${is}`);
  };
  const head = headOf(path);
  if (head === null) return refuse('is a directory: if it is a backup, `restore` puts it back');
  const text = head.toString('latin1');
  const other = OTHERS.find(({ at, mark }) => text.startsWith(mark, at));
  if (other !== undefined) return refuse(other.is);
  if (text === '') return refuse('is empty');

  const named = READ_AS[extname(path).toLowerCase() as keyof typeof READ_AS] as ReadAs | undefined;
  const found = formatOf(text);
  if (found === null)
    return refuse('is one JSON value: NDJSON, an object a line, is what --format ndjson writes');
  if (named === undefined) {
    return refuse(
      `does not end in ${Object.keys(READ_AS).join(', ')}${found === 'csv' ? '' : `: it seems to be .${found}`}`,
    );
  }
  if (found !== named)
    return refuse(`is no ${named.toUpperCase()}: it seems to be .${found}, so give it that name`);
  return named;
}

/** By how it begins; null for JSON that is no list of lines. */
function formatOf(text: string): ReadAs | null {
  if (text.startsWith('PAR1')) return 'parquet';
  const begin = text.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (begin.startsWith('[') || /^\{\s*[\r\n]/.test(begin)) return null;
  return begin.startsWith('{') ? 'ndjson' : 'csv';
}

function headOf(path: string): Buffer | null {
  try {
    if (statSync(path).isDirectory()) return null;
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(HEAD);
      return head.subarray(0, readSync(file, head, 0, HEAD, 0));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new CodedError('import_refused', `there is no file ${path}`);
    }
    throw systemError(error, `${path} cannot be read`);
  }
}
