import { alphabetical, type CoreRecord, type Dialect, emptyTable, recordText, toRecord } from './dialect.ts';
import type { Entry } from './entry.ts';

/** A message of the feed, parsed. Totals in bytes since the core's start or its last statistics reset. */
export interface CoreSnapshot {
  downloadTotal: number;
  uploadTotal: number;
  /** `null` (Mihomo) or `[]` (others) when nothing is open. */
  connections: CoreRecord[] | null;
  memory: number;
}

export interface Totals {
  downloadTotal: number;
  uploadTotal: number;
  memory: number;
}

export function snapshotOf(dialect: Dialect, totals: Totals, entries: readonly Entry[]): CoreSnapshot {
  const connections = entries.map((entry) => {
    const record = toRecord(dialect, entry.id, entry.fields);
    record.upload = entry.upload;
    record.download = entry.download;
    return record;
  });
  const { downloadTotal, uploadTotal, memory } = totals;
  const table = connections.length === 0 ? emptyTable(dialect) : connections;
  return alphabetical(dialect)
    ? { connections: table, downloadTotal, memory, uploadTotal }
    : { downloadTotal, uploadTotal, connections: table, memory };
}

/** The same as the core's encoder writes it, newline included. */
export function frameOf(dialect: Dialect, totals: Totals, entries: readonly Entry[]): string {
  return frameBytesOf(dialect, totals, entries).toString();
}

/**
 * The same in UTF-8. Only the counters are made anew; the other parts are kept as strings with one character a
 * byte, which join and copy several times faster than text in many scripts.
 */
export function frameBytesOf(dialect: Dialect, totals: Totals, entries: readonly Entry[]): Buffer {
  const { downloadTotal, uploadTotal, memory } = totals;
  const table = entries.length === 0 ? JSON.stringify(emptyTable(dialect)) : `[${records(dialect, entries)}]`;
  const text = alphabetical(dialect)
    ? `{"connections":${table},"downloadTotal":${downloadTotal},"memory":${memory},"uploadTotal":${uploadTotal}}\n`
    : `{"downloadTotal":${downloadTotal},"uploadTotal":${uploadTotal},"connections":${table},"memory":${memory}}\n`;
  return Buffer.from(text, 'latin1');
}

function records(dialect: Dialect, entries: readonly Entry[]): string {
  let text = '';
  for (const entry of entries) {
    entry.text ??= recordText(dialect, entry.id, entry.fields);
    const { head, middle, tail, uploadFirst } = entry.text;
    const first = uploadFirst ? entry.upload : entry.download;
    const second = uploadFirst ? entry.download : entry.upload;
    text += `${text === '' ? '' : ','}${head}${first}${middle}${second}${tail}`;
  }
  return text;
}
