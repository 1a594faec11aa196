import { isCounted } from '../../domain/connection.ts';
import { parseTime } from '../../domain/time.ts';

/** A row of the original's `connections` table, as far as the import reads it. */
export interface OriginalRow {
  rowid: number;
  id: string | null;
  agent_id: string | null;
  conn_download: number | bigint | null;
  conn_upload: number | bigint | null;
  last_updated: string | null;
  start: string | null;
  type: string | null;
  process: string | null;
}

/** When a row of the original's was last seen: its `last_updated`, else its `start`, else `fallback` (epoch ms). */
export function originalTime(row: OriginalRow, fallback: number): { at: number; flagged: boolean } {
  const updated = timeIn(row.last_updated);
  if (updated !== null) return { at: updated, flagged: false };
  const start = timeIn(row.start);
  return { at: start ?? fallback, flagged: true };
}

/** A file that people work on with other programs may hold anything in any column. */
function timeIn(value: unknown): number | null {
  return typeof value === 'string' ? parseTime(value) : null;
}

export function originalCounted(row: OriginalRow): boolean {
  return isCounted({ conn_type: row.type ?? '', process: row.process ?? '' });
}
