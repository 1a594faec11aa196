import { type ConnectionFields, columnOf, DESCRIPTIVE_FIELDS, emptyFields } from '../../domain/connection.ts';
import { formatTime } from '../../domain/time.ts';
import { type BookEntry, newEntry } from '../books/entry.ts';

/** A row of `connections` as SQLite gives it. */
export type ConnectionRow = Record<string, string | number | null> & { key: number };

const COLUMNS = DESCRIPTIVE_FIELDS.map(columnOf);

export const INSERT_CONNECTION = `INSERT INTO connections
  (id, agent_id, conn_download, conn_upload, last_updated, start, ${COLUMNS.join(', ')},
   key, start_ms, counted, base_down, base_up, carried_down, carried_up, recovered_down, recovered_up, last_minute,
   closed_at, rev, dirty)
  VALUES (${new Array(6 + COLUMNS.length + 12).fill('?').join(', ')}, 1)`;

export const UPDATE_COUNTERS = `UPDATE connections SET conn_download = ?, conn_upload = ?, last_updated = ?,
  carried_down = ?, carried_up = ?, recovered_down = ?, recovered_up = ?, last_minute = ? WHERE key = ?`;

/** Parameters of INSERT_CONNECTION. */
export function connectionValues(
  entry: BookEntry,
  agentId: string,
  key: number,
  at: number,
  rev: number,
): (string | number | null)[] {
  const { fields } = entry;
  return [
    fields.id,
    agentId,
    entry.counter.download,
    entry.counter.upload,
    formatTime(at),
    fields.start === 0 ? '' : formatTime(fields.start),
    ...DESCRIPTIVE_FIELDS.map((field) => fields[field.name]),
    key,
    fields.start,
    entry.counted ? 1 : 0,
    entry.base.download,
    entry.base.upload,
    entry.carried.download,
    entry.carried.upload,
    entry.recovered.download,
    entry.recovered.upload,
    entry.minute,
    entry.closedAt,
    rev,
  ];
}

/** Parameters of UPDATE_COUNTERS. */
export function counterValues(entry: BookEntry, key: number, at: number): (string | number)[] {
  return [
    entry.counter.download,
    entry.counter.upload,
    formatTime(at),
    entry.carried.download,
    entry.carried.upload,
    entry.recovered.download,
    entry.recovered.upload,
    entry.minute,
    key,
  ];
}

export function fieldsOfRow(row: ConnectionRow): ConnectionFields {
  const fields = emptyFields(String(row.id)) as ConnectionFields & Record<string, string | number>;
  fields.start = Number(row.start_ms ?? 0);
  for (const field of DESCRIPTIVE_FIELDS) {
    const value = row[columnOf(field)];
    if (value !== null && value !== undefined) fields[field.name] = value as never;
  }
  return fields;
}

export function entryOfRow(row: ConnectionRow): BookEntry {
  const bytes = (name: string) => ({
    download: Number(row[`${name}_down`] ?? 0),
    upload: Number(row[`${name}_up`] ?? 0),
  });
  return {
    ...newEntry(fieldsOfRow(row), row.counted === 1, bytes('base')),
    key: row.key,
    counter: { download: Number(row.conn_download ?? 0), upload: Number(row.conn_upload ?? 0) },
    carried: bytes('carried'),
    recovered: bytes('recovered'),
    minute: Number(row.last_minute ?? 0),
    closedAt: row.closed_at === null ? null : Number(row.closed_at),
  };
}
