import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { openStore, type Sqlite } from '../../common/sqlite.ts';
import { emptyFields, ORIGINAL_COLUMNS } from '../../domain/connection.ts';
import { EARLIER_COLUMNS, RECORDS_FILE } from '../ingest/schema.ts';
import { EARLIER, hasEarlierRows } from '../layout/earlier-rows.ts';
import { RecordWriter } from '../layout/record-writer.ts';
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

const writers = new WeakMap<Sqlite, RecordWriter>();
let nextNum = 1;

/** Inserts a record as the ingest would have left it; fields under the names of the API. Returns its number. */
export function insertRecord(db: Sqlite, row: TestRow): number {
  const { id, agent_id = 'a', download = 0, upload = 0, start_ms = 1_000_000, counted = 1 } = row;
  const writer = writers.get(db) ?? new RecordWriter(db);
  writers.set(db, writer);
  const num = nextNum++;
  const empty = emptyFields(id);
  const updatedMs = row.updated_ms ?? start_ms;
  writer.insert({
    ...{ num, id, agentId: agent_id, startMs: start_ms, isStartUnknown: false, updatedMs },
    ...{ closedAt: row.closed_at ?? null, arrivedAt: updatedMs, lastBucket: 0 },
    counter: { download, upload },
    base: { download: 0, upload: 0 },
    recovered: { download: row.recovered_down ?? 0, upload: 0 },
    ...{ counted: counted === 1, isImported: false },
    fields: ({ name }) => row[name] ?? empty[name],
  });
  return num;
}

/** Inserts a row as the original wrote it, not yet imported: what is not named is NULL. */
export function insertOriginal(db: Sqlite, values: Record<string, string | number | null>): void {
  if (!hasEarlierRows(db)) makeEarlierRows(db);
  const row = { imported: 0, ...values };
  const names = Object.keys(row);
  db.prepare(`INSERT INTO ${EARLIER} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`).run(
    ...Object.values(row),
  );
}

/** The table in which such rows wait, in a file that was made without it. */
function makeEarlierRows(db: Sqlite): void {
  db.exec(`CREATE TABLE ${EARLIER} (${[...ORIGINAL_COLUMNS, ...EARLIER_COLUMNS].join(', ')}, PRIMARY KEY (id, agent_id));
    INSERT INTO meta (key, value) VALUES ('earlier_offset', '1000000')`);
}
