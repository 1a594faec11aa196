import { copyFileSync } from 'node:fs';
import { APPLICATION_IDS } from '../../common/application-ids.ts';
import type { Sqlite, StoreFile } from '../../common/sqlite.ts';
import { ORIGINAL_COLUMNS } from '../../domain/connection.ts';
import { adoptOriginalRows } from './adopt.ts';

/**
 * The journal (`--local-database`). What is sent has, in each table: `rev`, the flush that changed it last;
 * `dirty`, 1 until that revision was acknowledged; `ord`, the ordinal of the acknowledged batch that held it.
 *
 * Sizes matter here: a flush of 1,000 changing connections must touch few pages. So the running minute is one packed
 * value until it ends. A sample is keyed `(minute, conn)`, and the index of what is dirty has the same order and
 * holds dirty rows only. The wide row of a connection is written when it
 * is first seen, when it closes, and once an hour.
 */
const OUR_COLUMNS = [
  'key INTEGER',
  "provider TEXT NOT NULL DEFAULT ''",
  'start_ms INTEGER NOT NULL DEFAULT 0',
  'counted INTEGER NOT NULL DEFAULT 1',
  'base_down INTEGER NOT NULL DEFAULT 0',
  'base_up INTEGER NOT NULL DEFAULT 0',
  'carried_down INTEGER NOT NULL DEFAULT 0',
  'carried_up INTEGER NOT NULL DEFAULT 0',
  'recovered_down INTEGER NOT NULL DEFAULT 0',
  'recovered_up INTEGER NOT NULL DEFAULT 0',
  'last_minute INTEGER NOT NULL DEFAULT 0',
  'closed_at INTEGER',
  'rev INTEGER NOT NULL DEFAULT 0',
  'dirty INTEGER NOT NULL DEFAULT 0',
  'ord INTEGER NOT NULL DEFAULT 0',
  'close_rev INTEGER NOT NULL DEFAULT 0',
  'close_dirty INTEGER NOT NULL DEFAULT 0',
  'close_ord INTEGER NOT NULL DEFAULT 0',
];

/** Of a sample taken over from the original's file: delivered by its wire, under the id it was collected with. */
export const FLAG_ADOPTED = 4;

const SENT = 'rev INTEGER NOT NULL, dirty INTEGER NOT NULL DEFAULT 1, ord INTEGER NOT NULL DEFAULT 0';

const TABLES = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Absolute counters at the end of a minute. flags: 1 again, 2 sent in a batch that was not answered yet,
-- 4 taken over from the original (goes by the original's wire).
CREATE TABLE samples (
  minute INTEGER NOT NULL, conn INTEGER NOT NULL, down INTEGER NOT NULL, up INTEGER NOT NULL,
  rdown INTEGER NOT NULL, rup INTEGER NOT NULL, flags INTEGER NOT NULL DEFAULT 0, ${SENT},
  PRIMARY KEY (minute, conn)
) WITHOUT ROWID;
CREATE INDEX samples_dirty ON samples (minute, conn) WHERE dirty = 1;

-- Running sums of the accepted increases of the core's totals.
CREATE TABLE totals (
  minute INTEGER PRIMARY KEY, down INTEGER NOT NULL, up INTEGER NOT NULL, ${SENT}
);
CREATE INDEX totals_dirty ON totals (minute) WHERE dirty = 1;

CREATE TABLE gaps (
  id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, reason TEXT NOT NULL, ${SENT}
);
CREATE TABLE runs (id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, version TEXT NOT NULL, ${SENT});
CREATE TABLE lost (
  id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, down INTEGER NOT NULL, up INTEGER NOT NULL,
  connections INTEGER NOT NULL, reason TEXT NOT NULL, ${SENT}
);

-- What was deleted whole after it was acknowledged, per day: sent as lost if the master turns out to be older.
CREATE TABLE pruned (
  day INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, down INTEGER NOT NULL, up INTEGER NOT NULL,
  connections INTEGER NOT NULL, ord INTEGER NOT NULL, reported INTEGER NOT NULL DEFAULT 0
);

-- Batches that were acknowledged, by ordinal; and those sent since the last answer.
CREATE TABLE batches (ord INTEGER PRIMARY KEY, batch TEXT NOT NULL UNIQUE, at INTEGER NOT NULL);
CREATE TABLE inflight (seq INTEGER PRIMARY KEY, batch TEXT NOT NULL);

-- Rows that the master refused: visible, bounded.
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL, code TEXT NOT NULL, row TEXT NOT NULL
);
`;

const INDEXES = `
CREATE UNIQUE INDEX connections_key ON connections (key);
CREATE INDEX connections_open ON connections (key) WHERE closed_at IS NULL;
CREATE INDEX connections_closed ON connections (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX connections_dirty ON connections (key) WHERE dirty = 1;
CREATE INDEX connections_close_dirty ON connections (last_minute) WHERE close_dirty = 1;
`;

function hasTable(db: Sqlite, name: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

function createJournal(db: Sqlite): void {
  const adopted = hasTable(db, 'connections');
  if (!adopted) {
    db.exec(`CREATE TABLE connections (${ORIGINAL_COLUMNS.join(', ')}, PRIMARY KEY (id, agent_id))`);
  }
  for (const column of OUR_COLUMNS) db.exec(`ALTER TABLE connections ADD COLUMN ${column}`);
  db.exec(TABLES);
  if (adopted) adoptOriginalRows(db);
  db.exec(INDEXES);
}

/** What stands in for the rows of the running minute until it ends (`packed-samples.ts`). At most one row. */
function addRunningMinute(db: Sqlite): void {
  db.exec(
    'CREATE TABLE running (id INTEGER PRIMARY KEY CHECK (id = 1), minute INTEGER NOT NULL, samples BLOB NOT NULL)',
  );
}

/**
 * What went by the original's wire of a connection taken over: the totals of this journal cover what came since, so for v2
 * that is its base. Apart from `base_down`, because those bytes were booked, and can be lost.
 */
function addAdoptedCounters(db: Sqlite): void {
  for (const side of ['down', 'up']) {
    db.exec(`ALTER TABLE connections ADD COLUMN adopted_${side} INTEGER NOT NULL DEFAULT 0`);
  }
  db.exec(
    `UPDATE connections SET adopted_down = s.down, adopted_up = s.up
     FROM samples s WHERE s.conn = connections.key AND s.flags & ${FLAG_ADOPTED}`,
  );
}

/** Where the copy of an original's agent file goes, before the file is altered. */
export function backupOf(path: string): string {
  return `${path}.v0.2.0`;
}

export const JOURNAL_FILE: StoreFile = {
  applicationId: APPLICATION_IDS.journal,
  kind: 'journal',
  adopts: (db) => hasTable(db, 'connections') && hasTable(db, 'sync_state'),
  beforeAdopt: (path) => copyFileSync(path, backupOf(path)),
  migrations: [
    { version: 1, up: createJournal },
    { version: 2, up: addRunningMinute },
    { version: 3, up: addAdoptedCounters },
  ],
};
