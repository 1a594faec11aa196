import { columnOf, DESCRIPTIVE_FIELDS, emptyFields } from '../../domain/connection.ts';
import { formatTime, parseTime } from '../../domain/time.ts';
import { formOf } from '../layout/columns.ts';
import type { TextNames } from '../layout/texts.ts';
import { computeOf } from '../store/dictionary-values.ts';
import type { Columns } from './columns.ts';
import { NO_AGENT } from './dimension-values.ts';
import { type ConnectionRecord, DERIVED_DIMENSIONS } from './query.ts';

/**
 * A row as stored, its descriptive columns under the names of the API: of a text its id, or itself in a row that waits to
 * become a record. NULLs are possible in adopted rows.
 */
export interface StoredRow {
  id: string | null;
  agent_id: number | string | null;
  conn_download: number | null;
  conn_upload: number | null;
  last_updated: string | null;
  start: string | null;
  start_ms: number | null;
  updated_ms: number | null;
  closed_at: number | null;
  counted: number;
  num: number | null;
  [field: string]: string | number | Buffer | null;
}

/** What a record is made of, to be selected from rows `c`. */
export function recordColumns(columns: Columns): string {
  return [
    `${columns.id} AS id`,
    `${columns.timeTexts.start} AS start`,
    `${columns.timeTexts.updated} AS last_updated`,
    ...[
      'agent_id',
      'conn_download',
      'conn_upload',
      'start_ms',
      'updated_ms',
      'closed_at',
      'counted',
      'num',
    ].map((name) => `c.${name}`),
    ...DESCRIPTIVE_FIELDS.map((field) => `c.${columnOf(field)} AS ${field.name}`),
  ].join(', ');
}

const EMPTY = emptyFields('');

export function toRecord(row: StoredRow, names: TextNames): ConnectionRecord {
  const record: ConnectionRecord = {
    id: row.id ?? '',
    agent_id: names.of(row.agent_id) ?? NO_AGENT,
    download: bytes(row.conn_download),
    upload: bytes(row.conn_upload),
    last_updated: time(row.updated_ms, row.last_updated),
    start: time(row.start_ms, row.start),
    closed_at: row.closed_at === null ? null : formatTime(row.closed_at),
    counted: row.counted !== 0,
  };
  for (const field of DESCRIPTIVE_FIELDS) {
    record[field.name] = valueOfField(field, row[field.name] ?? null, names) ?? EMPTY[field.name];
  }
  return Object.assign(record, derivedOf(record));
}

function valueOfField(
  field: (typeof DESCRIPTIVE_FIELDS)[number],
  value: StoredRow[string],
  names: TextNames,
): string | number | null {
  if (value === null || value === undefined) return null;
  switch (formOf(field)) {
    case 'text':
      return String(names.of(value));
    case 'port':
      return String(value);
    case 'integer':
      return value as number;
  }
}

const DERIVED = DERIVED_DIMENSIONS.map((dimension) => ({
  name: dimension.name,
  field: dimension.field ?? dimension.name,
  compute: computeOf(dimension) ?? ((text: string) => text),
}));

function derivedOf(record: ConnectionRecord): Record<string, string | number> {
  const derived: Record<string, string | number> = {};
  for (const { name, field, compute } of DERIVED) derived[name] = compute(String(record[field]));
  return derived;
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
