import Database from 'better-sqlite3';

/** The original's schema, to the letter (v0.2.0). */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS connections (
    id TEXT,
    conn_download INTEGER,
    conn_upload INTEGER,
    last_updated TEXT,
    start TEXT,
    network TEXT,
    type TEXT,
    source_ip TEXT,
    destination_ip TEXT,
    source_geoip TEXT,
    destination_geoip TEXT,
    source_ip_asn TEXT,
    destination_ip_asn TEXT,
    source_port TEXT,
    destination_port TEXT,
    inbound_ip TEXT,
    inbound_port TEXT,
    inbound_name TEXT,
    inbound_user TEXT,
    host TEXT,
    dns_mode TEXT,
    uid INTEGER,
    process TEXT,
    process_path TEXT,
    special_proxy TEXT,
    special_rules TEXT,
    remote_destination TEXT,
    dscp INTEGER,
    sniff_host TEXT,
    chains TEXT,
    rule TEXT,
    rule_payload TEXT,
    agent_id TEXT,
    PRIMARY KEY (id, agent_id)
);
CREATE TABLE IF NOT EXISTS sync_state (
    id INTEGER PRIMARY KEY,
    last_sync_time TEXT,
    pending_records INTEGER,
    last_connection_id TEXT
);
INSERT OR IGNORE INTO sync_state (id, last_sync_time, pending_records, last_connection_id)
VALUES (1, datetime('now', 'utc'), 0, '');`;

export interface OriginalConnection {
  id: string | null;
  conn_download: number | bigint | string | null;
  conn_upload: number | bigint | null;
  last_updated: string | number | null;
  start: string | null;
  agent_id: string | null;
  [column: string]: string | number | bigint | null;
}

/** A row as the original's programs write it. */
export function originalRow(id: string, more: Partial<OriginalConnection> = {}): OriginalConnection {
  return {
    id,
    conn_download: 100,
    conn_upload: 10,
    last_updated: '2026-07-01T12:00:00.123456789+00:00',
    start: '2026-07-01T19:58:01.987654321+08:00',
    network: 'tcp',
    type: 'HTTPS',
    source_ip: '192.168.1.2',
    destination_ip: '203.0.113.7',
    source_geoip: 'null',
    destination_geoip: '["us","cloudflare"]',
    source_ip_asn: '',
    destination_ip_asn: '13335 CLOUDFLARENET',
    source_port: '50123',
    destination_port: '443',
    inbound_ip: '127.0.0.1',
    inbound_port: '7890',
    inbound_name: 'DEFAULT-MIXED',
    inbound_user: '',
    host: 'www.example.com',
    dns_mode: 'normal',
    uid: 0,
    process: 'curl',
    process_path: '/usr/bin/curl',
    special_proxy: '',
    special_rules: '',
    remote_destination: '',
    dscp: 0,
    sniff_host: '',
    chains: '["Proxy","HK"]',
    rule: 'DomainSuffix',
    rule_payload: 'example.com',
    agent_id: 'router',
    ...more,
  };
}

/** Writes a file as the original leaves it behind: rollback journal, no mark of ours. */
export function writeOriginal(path: string, rows: readonly OriginalConnection[]): void {
  const db = new Database(path);
  db.exec(SCHEMA);
  const names = Object.keys(originalRow(''));
  const insert = db.prepare(
    `INSERT INTO connections (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
  );
  db.transaction(() => {
    for (const row of rows) insert.run(names.map((name) => row[name] ?? null));
  })();
  db.close();
}
