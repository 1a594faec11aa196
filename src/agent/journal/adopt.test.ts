import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from './journal.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'adopt-'));
  path = join(directory, 'agent.db');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Row = [id: string, agent: string | null, download: number, minute: number];

/** An agent file of the original: the columns that matter here, and its key. */
function original(rows: Row[]): void {
  const db = new Database(path);
  const columns =
    `network type source_ip destination_ip source_geoip destination_geoip source_ip_asn destination_ip_asn
    source_port destination_port inbound_ip inbound_port inbound_name inbound_user host dns_mode uid process process_path
    special_proxy special_rules remote_destination dscp sniff_host chains rule rule_payload`.split(/\s+/);
  db.exec(`CREATE TABLE connections (id TEXT, conn_download INTEGER, conn_upload INTEGER, last_updated TEXT, start TEXT,
    ${columns.map((name) => `${name} TEXT`).join(', ')}, agent_id TEXT, PRIMARY KEY (id, agent_id));
    CREATE TABLE sync_state (id INTEGER)`);
  const insert = db.prepare(
    'INSERT INTO connections (id, agent_id, conn_download, conn_upload, last_updated) VALUES (?, ?, ?, 1, ?)',
  );
  for (const [id, agent, download, minute] of rows) {
    insert.run(id, agent, download, new Date(Date.UTC(2026, 5, 1, 12, minute)).toISOString());
  }
  db.close();
}

function adopted(): unknown[] {
  const journal = new Journal({ path });
  const rows = journal.db
    .prepare('SELECT id, agent_id, down FROM connections JOIN samples ON conn = key ORDER BY id, agent_id')
    .raw()
    .all();
  journal.close();
  return rows;
}

describe('rows of the original under one id', () => {
  it('once without an agent and once with that of the journal: the greatest counters stay', () => {
    original([
      ['x', null, 500, 1],
      ['x', 'a', 900, 2],
      ['y', null, 700, 1],
      ['y', ' a', 100, 3],
      ['z', null, 1, 1],
      ['z', null, 2, 1],
    ]);
    const rows = [
      ['x', 'a', 900],
      ['y', 'a', 700],
      ['z', 'a', 2],
    ];
    expect(adopted()).toEqual(rows);
    expect(adopted()).toEqual(rows);
  });

  it('of different agents stay apart', () => {
    original([
      ['x', 'a', 5, 1],
      ['x', 'b', 9, 2],
    ]);
    expect(adopted()).toEqual([
      ['x', 'a', 5],
      ['x', 'b', 9],
    ]);
  });
});
