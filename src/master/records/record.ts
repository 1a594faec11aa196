import { columnOf, DESCRIPTIVE_FIELDS, emptyFields } from '../../domain/connection.ts';
import { formatTime, parseTime } from '../../domain/time.ts';
import type { ConnectionRecord } from './query.ts';

/** A row as stored, its descriptive columns under the names of the API; NULLs are possible in adopted rows. */
export interface StoredRow {
  id: string | null;
  agent_id: string | null;
  conn_download: number | null;
  conn_upload: number | null;
  last_updated: string | null;
  start: string | null;
  start_ms: number | null;
  updated_ms: number | null;
  closed_at: number | null;
  counted: number;
  sort_key: number;
  row_number: number;
  [field: string]: string | number | null;
}

const OWN = 'id agent_id conn_download conn_upload last_updated start start_ms updated_ms closed_at counted';

/** The columns to select from `connections c`. */
export const RECORD_COLUMNS = [
  ...OWN.split(' ').map((name) => `c.${name}`),
  ...DESCRIPTIVE_FIELDS.map((field) => `c.${columnOf(field)} AS ${field.name}`),
].join(', ');

/** The agent of rows that the original stored without one; the import gives them the same name. */
const NO_AGENT = 'unknown';
const EMPTY = emptyFields('');

export function toRecord(row: StoredRow): ConnectionRecord {
  const record: ConnectionRecord = {
    id: row.id ?? '',
    agent_id: row.agent_id ?? NO_AGENT,
    download: bytes(row.conn_download),
    upload: bytes(row.conn_upload),
    last_updated: time(row.updated_ms, row.last_updated),
    start: time(row.start_ms, row.start),
    closed_at: row.closed_at === null ? null : formatTime(row.closed_at),
    counted: row.counted !== 0,
  };
  for (const { name } of DESCRIPTIVE_FIELDS) record[name] = row[name] ?? EMPTY[name];
  return record;
}

/** The original took any 64-bit number, negative ones too. */
function bytes(value: number | null): number {
  return Math.min(Math.max(value ?? 0, 0), Number.MAX_SAFE_INTEGER);
}

/** RFC 3339 in UTC; a text that is no time is shown as it was stored. */
function time(ms: number | null, text: string | null): string {
  const at = ms ?? parseTime(text ?? '');
  return at === null ? (text ?? '') : formatTime(at);
}
