import { CodedError } from '../../common/errors.ts';
import type { SortOrder } from '../query/metrics.ts';
import type { ConnectionSortKey } from './query.ts';

/** Where a page ended: the sort key of its last row, and the row itself among those of equal key. */
export interface Position {
  readonly key: number;
  readonly row: number;
}

/** Opaque to clients; it holds the sort, for a position in one order means nothing in another. */
export function encodeCursor(sortBy: ConnectionSortKey, order: SortOrder, position: Position): string {
  const text = JSON.stringify([sortBy, order, position.key, position.row]);
  return Buffer.from(text, 'utf8').toString('base64url');
}

/** Throws `bad_request` for what is no cursor, or one of another sort. */
export function decodeCursor(cursor: string, sortBy: ConnectionSortKey, order: SortOrder): Position {
  const [by, direction, key, row] = parse(cursor);
  if (by !== sortBy || direction !== order) throw refused('belongs to another sort_by or sort_order');
  if (typeof key !== 'number' || !Number.isFinite(key) || !Number.isSafeInteger(row)) {
    throw refused('is not one of this master');
  }
  return { key, row: row as number };
}

function parse(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(value) && value.length === 4) return value;
  } catch {
    // Below.
  }
  throw refused('is not one of this master');
}

function refused(problem: string): CodedError {
  return new CodedError('bad_request', 'the cursor cannot be used', {
    details: [{ field: 'cursor', problem: `${problem}; begin without a cursor` }],
  });
}
