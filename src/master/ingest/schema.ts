import { randomUUID } from 'node:crypto';
import { APPLICATION_IDS } from '../../common/application-ids.ts';
import type { Sqlite, StoreFile } from '../../common/sqlite.ts';
import { ORIGINAL_COLUMNS } from '../../domain/connection.ts';
import { layAside } from '../layout/earlier-rows.ts';

/** What versions 1 to 6 kept of a connection beside the original's columns, in the same table (see `../layout/`). */
export const EARLIER_COLUMNS = [
  'num INTEGER',
  "provider TEXT NOT NULL DEFAULT ''",
  'counted INTEGER NOT NULL DEFAULT 1',
  'closed_at INTEGER',
  'start_ms INTEGER',
  'updated_ms INTEGER',
  'base_down INTEGER NOT NULL DEFAULT 0',
  'base_up INTEGER NOT NULL DEFAULT 0',
  'recovered_down INTEGER NOT NULL DEFAULT 0',
  'recovered_up INTEGER NOT NULL DEFAULT 0',
  'last_bucket INTEGER NOT NULL DEFAULT 0',
  'arrived_at INTEGER',
  // A default, so that adopting a file of millions of rows rewrites none of them.
  'imported INTEGER DEFAULT 0',
];

const TABLES = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- What is known of each agent, from its last contact. Times: epoch ms of the master's clock.
CREATE TABLE agents (
  agent_id TEXT PRIMARY KEY, first_seen INTEGER NOT NULL, last_contact INTEGER NOT NULL,
  protocol INTEGER NOT NULL, version TEXT NOT NULL DEFAULT '', stream TEXT, boot TEXT,
  core_version TEXT NOT NULL DEFAULT '', core_state TEXT NOT NULL DEFAULT '', last_snapshot INTEGER NOT NULL DEFAULT 0,
  clock_offset_ms INTEGER NOT NULL DEFAULT 0, backlog INTEGER NOT NULL DEFAULT 0, interval_s INTEGER NOT NULL DEFAULT 0,
  sample_interval_ms INTEGER NOT NULL DEFAULT 0, quarantined INTEGER NOT NULL DEFAULT 0,
  journal_bytes INTEGER NOT NULL DEFAULT 0, journal_budget INTEGER NOT NULL DEFAULT 0,
  booked_to INTEGER NOT NULL DEFAULT 0, conflict_at INTEGER, conflict TEXT,
  records INTEGER NOT NULL DEFAULT 0, measured INTEGER NOT NULL DEFAULT 0
);

-- A stream is one journal. Its totals only grow; a sample's share of them is taken off as it is merged.
CREATE TABLE streams (
  num INTEGER PRIMARY KEY, agent_id TEXT NOT NULL, stream TEXT NOT NULL, first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL, totals_down INTEGER NOT NULL DEFAULT 0, totals_up INTEGER NOT NULL DEFAULT 0,
  totals_minute INTEGER NOT NULL DEFAULT 0, UNIQUE (agent_id, stream)
);

-- The newest batch of each boot of a stream; moves in the transaction of the data it stands for.
CREATE TABLE heads (
  stream INTEGER NOT NULL REFERENCES streams (num), boot TEXT NOT NULL, batch TEXT NOT NULL, seq INTEGER NOT NULL,
  at INTEGER NOT NULL, PRIMARY KEY (stream, boot)
) WITHOUT ROWID;

-- The base that each journal gave a connection: what that journal's totals do not cover. See addCovers.
CREATE TABLE bases (
  conn INTEGER NOT NULL, stream INTEGER NOT NULL, down INTEGER NOT NULL, up INTEGER NOT NULL,
  PRIMARY KEY (conn, stream)
) WITHOUT ROWID;

-- Accepted increases of the core's totals by stream and minute (0: unmeasured bytes of the agent's other sources).
CREATE TABLE core_totals (
  agent_id TEXT NOT NULL, minute INTEGER NOT NULL, down INTEGER NOT NULL DEFAULT 0, up INTEGER NOT NULL DEFAULT 0,
  unmeasured_down INTEGER NOT NULL DEFAULT 0, unmeasured_up INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (agent_id, minute)
) WITHOUT ROWID;

CREATE TABLE gaps (
  stream INTEGER NOT NULL, id INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (stream, id)
) WITHOUT ROWID;
CREATE TABLE runs (
  stream INTEGER NOT NULL, id INTEGER NOT NULL, from_ms INTEGER NOT NULL, version TEXT NOT NULL,
  PRIMARY KEY (stream, id)
) WITHOUT ROWID;
CREATE TABLE lost (
  stream INTEGER NOT NULL, id INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
  down INTEGER NOT NULL, up INTEGER NOT NULL, connections INTEGER NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (stream, id)
) WITHOUT ROWID;

-- What could not be taken, visible and bounded; row is the JSON text as received, cut.
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, agent_id TEXT NOT NULL, what TEXT NOT NULL, code TEXT NOT NULL, row TEXT NOT NULL
);

-- Facts on their way to the fact store: kind 0 counted, 1 overlay, 2 unattributed (conn 0).
CREATE TABLE pending_facts (
  seq INTEGER PRIMARY KEY, lot INTEGER, conn INTEGER NOT NULL, kind INTEGER NOT NULL, bucket INTEGER NOT NULL,
  prev INTEGER NOT NULL, recovered INTEGER NOT NULL, down INTEGER NOT NULL, up INTEGER NOT NULL, conns INTEGER NOT NULL,
  agent_id TEXT NOT NULL
);
CREATE INDEX pending_facts_by_lot ON pending_facts (lot);

-- Every lot ever sealed, kept for good: a lot is known by its token, for restored copies reuse numbers.
CREATE TABLE lots (
  lot INTEGER PRIMARY KEY, token TEXT NOT NULL, first_bucket INTEGER NOT NULL, last_bucket INTEGER NOT NULL,
  rows INTEGER NOT NULL, down INTEGER NOT NULL, up INTEGER NOT NULL, sealed_at INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'sealed'
);
`;

function hasTable(db: Sqlite, name: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

function columnsOf(db: Sqlite, table: string): Set<string> {
  const rows = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all() as { name: string }[];
  return new Set(rows.map((row) => row.name));
}

/** An SQLite file without our mark that has the original's `connections` table. */
export function isOriginal(db: Sqlite): boolean {
  if (!hasTable(db, 'connections')) return false;
  const columns = columnsOf(db, 'connections');
  return ['id', 'conn_download', 'conn_upload', 'last_updated', 'agent_id'].every((name) =>
    columns.has(name),
  );
}

/** The table of connections has no index here that it had in earlier versions, for it does not stay (`layAside`). */
function createRecords(db: Sqlite): void {
  const adopted = hasTable(db, 'connections');
  if (!adopted) {
    db.exec(`CREATE TABLE connections (${ORIGINAL_COLUMNS.join(', ')}, PRIMARY KEY (id, agent_id))`);
  }
  for (const column of EARLIER_COLUMNS) db.exec(`ALTER TABLE connections ADD COLUMN ${column}`);
  db.exec(TABLES);
  const put = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
  put.run('store_id', randomUUID());
  put.run('next_num', '1');
  put.run('horizon', '0');
}

/**
 * Up to which counter each journal's totals cover a connection; NULL where that is the record's counter, as it is of
 * every connection that one journal alone tells of.
 */
function addCovers(db: Sqlite): void {
  db.exec(
    'ALTER TABLE bases ADD COLUMN covered_down INTEGER; ALTER TABLE bases ADD COLUMN covered_up INTEGER',
  );
}

/** Since when a conflict goes on; one that goes on already is taken to have begun at its newest sign. */
function addConflictBegin(db: Sqlite): void {
  db.exec(
    'ALTER TABLE agents ADD COLUMN conflict_since INTEGER; UPDATE agents SET conflict_since = conflict_at',
  );
}

/**
 * Tokens of agents and clients beside `--api-token`, by the SHA-256 of their secrets. Times: epoch ms of the master's
 * clock; `last_used` to the minute. AUTOINCREMENT: the number of a revoked token never becomes that of another.
 */
function addTokens(db: Sqlite): void {
  db.exec(`
    CREATE TABLE tokens (
      id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
      scope TEXT NOT NULL CHECK (scope IN ('agent', 'read', 'admin')),
      agent_id TEXT CHECK ((agent_id IS NOT NULL) = (scope = 'agent')),
      hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32), created INTEGER NOT NULL, expires INTEGER, last_used INTEGER
    ) STRICT
  `);
}

/**
 * Of lots, the few that wait and those of the last two days are asked for all the time, and all others stay for good:
 * 130,000 of them after 90 days.
 */
function addLotIndexes(db: Sqlite): void {
  db.exec(`
    CREATE INDEX lots_sealed ON lots (state) WHERE state = 'sealed';
    CREATE INDEX lots_flushed ON lots (state) WHERE state = 'flushed';
  `);
}

/**
 * What retention goes by. Records numbered `num` and above were made after `at`, so those below it are all that can be
 * older than that. `pruned`: what went so far; `down` and `up` are bytes that were booked, overlay left out.
 */
function addRetention(db: Sqlite): void {
  db.exec(`
    CREATE TABLE record_marks (at INTEGER PRIMARY KEY, num INTEGER NOT NULL);
    CREATE TABLE pruned (
      records INTEGER NOT NULL DEFAULT 0, down INTEGER NOT NULL DEFAULT 0, up INTEGER NOT NULL DEFAULT 0
    );
    INSERT INTO pruned DEFAULT VALUES;
  `);
}

/** The records database (`--database`). */
export const RECORDS_FILE: StoreFile = {
  applicationId: APPLICATION_IDS.records,
  kind: 'records database',
  adopts: isOriginal,
  migrations: [
    { version: 1, up: createRecords },
    { version: 2, up: addCovers },
    { version: 3, up: addConflictBegin },
    { version: 4, up: addTokens },
    { version: 5, up: addLotIndexes },
    { version: 6, up: addRetention },
    { version: 7, up: layAside },
  ],
};
