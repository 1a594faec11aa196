import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { openStore, type Sqlite } from '../../common/sqlite.ts';
import { columnOf, DESCRIPTIVE_FIELDS, emptyFields } from '../../domain/connection.ts';
import { formatTime } from '../../domain/time.ts';
import { RECORDS_FILE } from '../ingest/schema.ts';
import type { ConnectionsQuery } from './query.ts';
import { RecordsReader } from './records-reader.ts';

export interface TestRecords {
  readonly path: string;
  readonly db: Sqlite;
  remove(): void;
}

/** A records database in a directory of its own, as the ingest creates it. */
export function createRecords(): TestRecords {
  const directory = mkdtempSync(join(tmpdir(), 'records-'));
  const path = join(directory, 'master.db');
  const db = openStore(path, RECORDS_FILE);
  return {
    path,
    db,
    remove: () => {
      db.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface ReadRecords {
  records: TestRecords;
  reader: RecordsReader;
}

/** Records and their reader for each test of a file; filled before each. */
export function readRecordsInEachTest(): ReadRecords {
  const given = {} as ReadRecords;
  beforeEach(() => {
    given.records = createRecords();
    given.reader = new RecordsReader({ path: given.records.path });
    given.reader.start();
  });
  afterEach(async () => {
    await given.reader.stop();
    given.records.remove();
  });
  return given;
}

/** What `/connections` asks for when nothing is said. */
export const ALL: ConnectionsQuery = {
  filters: {},
  filter: null,
  state: null,
  counted: null,
  zone: 'UTC',
  now: Date.UTC(2026, 0, 10, 12),
  from: null,
  to: null,
  sortBy: 'last_updated',
  order: 'desc',
  limit: 100,
  offset: 0,
  cursor: null,
};

export interface TestRow {
  id: string;
  agent_id?: string | null;
  download?: number;
  upload?: number;
  start_ms?: number;
  updated_ms?: number;
  closed_at?: number | null;
  counted?: number;
  recovered_down?: number;
  [field: string]: string | number | null | undefined;
}

const COLUMNS = new Map<string, string>(DESCRIPTIVE_FIELDS.map((field) => [field.name, columnOf(field)]));
let nextNum = 1;

/** Inserts a record as the ingest would have left it; fields under the names of the API. Returns its number. */
export function insertRecord(db: Sqlite, row: TestRow): number {
  const { id, agent_id = 'a', download = 0, upload = 0, start_ms = 1_000_000, counted = 1, ...rest } = row;
  const updated_ms = row.updated_ms ?? start_ms;
  const num = nextNum++;
  const values: Record<string, string | number | null> = {
    id,
    agent_id,
    conn_download: download,
    conn_upload: upload,
    start: formatTime(start_ms),
    last_updated: formatTime(updated_ms),
    start_ms,
    updated_ms,
    closed_at: row.closed_at ?? null,
    counted,
    recovered_down: row.recovered_down ?? 0,
    num,
    imported: null,
  };
  const empty = emptyFields(id);
  for (const { name } of DESCRIPTIVE_FIELDS) {
    values[COLUMNS.get(name) ?? name] = (rest[name] as string | number | undefined) ?? empty[name];
  }
  const names = Object.keys(values);
  db.prepare(`INSERT INTO connections (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`).run(
    ...Object.values(values),
  );
  return num;
}

/** Inserts a row as the original wrote it, not yet imported: what is not named is NULL. */
export function insertOriginal(db: Sqlite, values: Record<string, string | number | null>): void {
  const row = { imported: 0, ...values };
  const names = Object.keys(row);
  db.prepare(`INSERT INTO connections (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`).run(
    ...Object.values(row),
  );
}
