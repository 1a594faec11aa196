import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Merger } from '../../src/master/ingest/merger.ts';
import { tokenText } from '../../src/master/store/embedded/move-lot.ts';
import { openStore } from '../facts/writer.ts';

/** Minutes since the epoch: a day in 2025, as every other would do. */
export const FIRST_MINUTE = 29_000_000;
export const MINUTES = 90 * 1440;
const LOT_ROWS = 10_000;
/** Nothing is measured here. */
const MEMORY_LIMIT_MB = 1024;

/**
 * Makes the stores of a master that has `rows` facts in its minutes, of the shapes that exports meet: 50,000 hosts, 80,000
 * addresses, 90 days in their order. Its half hours are empty, and said to be made: nothing is to be rolled up meanwhile.
 */
export async function fillMaster(directory: string, rows: number): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const records = join(directory, 'master.db');
  const merger = new Merger({ path: records, reserveLocal: false });
  const storeId = merger.lots.storeId();
  merger.close();
  const path = join(directory, 'master.facts.duckdb');
  const { store, connection, close } = await openStore({ path, memoryLimitMb: MEMORY_LIMIT_MB });
  await store.adopt(storeId);
  for (const statement of statements(rows)) await connection.run(statement);
  const found = await connection.runAndReadAll(
    'SELECT lot, token, first_bucket, last_bucket, rows, down, up, flushed_at FROM lots ORDER BY lot',
  );
  const lots = found.getRows().map(([lot, token, ...rest]) => [lot, tokenText(token as bigint), ...rest]);
  await close();
  const db = new Database(records);
  const insert = db.prepare(
    `INSERT INTO lots (lot, token, first_bucket, last_bucket, rows, down, up, sealed_at, state)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'dropped')`,
  );
  db.transaction(() => {
    for (const lot of lots) insert.run(...lot);
  })();
  db.close();
}

function statements(rows: number): string[] {
  return [
    `INSERT INTO host SELECT range, 'host-' || range || '.example' || range % 500 || '.com', 'example' || range % 500 || '.com'
     FROM range(1, 50001)`,
    `INSERT INTO ip SELECT range, '10.' || range // 65536 || '.' || range // 256 % 256 || '.' || range % 256, range
     FROM range(1, 80001)`,
    "INSERT INTO rule SELECT range, 'DomainSuffix', 'example' || range || '.com' FROM range(1, 501)",
    `INSERT INTO chain SELECT range, '["Proxy","node-' || range || '"]', 'airport', 'Proxy', 'node-' || range, 'proxied'
     FROM range(1, 101)`,
    `INSERT INTO minute BY NAME SELECT range AS conn, ((range - 1) // ${LOT_ROWS} + 1)::INTEGER AS lot,
       (${FIRST_MINUTE} + (range - 1) * ${MINUTES} // ${rows})::INTEGER AS bucket, 0 AS prev, 'agent-' || range % 20 AS agent,
       range % 200 + 1 AS device, (hash(range) % 50000 + 1)::INTEGER AS host,
       (hash(range + 1) % 80000 + 1)::INTEGER AS destination_ip, 443 AS destination_port, range % 500 + 1 AS "rule",
       range % 100 + 1 AS "chain", 'process-' || range % 80 AS process, 'tcp' AS network, 'HTTPS' AS conn_type,
       'in' AS inbound_name, '' AS inbound_user, 'US' AS country, '64500' AS asn, false AS recovered,
       range % 100000 AS up, range % 1000000 AS down, 1 AS conns
     FROM range(1, ${rows + 1})`,
    `INSERT INTO lots SELECT lot, lot, 'ok', count(*), 0, min(bucket), max(bucket), sum(up), sum(down) FROM minute GROUP BY lot`,
    'INSERT INTO rollups SELECT max(lot), 0 FROM lots',
    // The read of every column that is due once a week would be one more reader.
    `INSERT INTO meta VALUES ('checked_at', '${Date.now()}')`,
    'CHECKPOINT',
  ];
}
