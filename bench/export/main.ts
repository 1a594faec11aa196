import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { EXPORT_FORMATS } from '../../src/domain/export.ts';
import { ExportService } from '../../src/master/export/export-service.ts';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';

/**
 * How much memory an export of very many facts takes: `node bench/export/main.ts [rows]`, 10 million unless told
 * otherwise. One line for each format: rows, megabytes written, seconds, and how far the memory of the process grew.
 */
const rows = Number(process.argv[2] ?? 10_000_000);
const directory = mkdtempSync(join(tmpdir(), 'export-bench-'));
const path = join(directory, 'bench.facts.duckdb');

/** Facts of the shapes that exports meet: 50,000 hosts, 80,000 addresses, 90 days of minutes in their order. */
async function fill(): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  for (const statement of [
    `INSERT INTO host SELECT range, 'host-' || range || '.example' || range % 500 || '.com', 'example' || range % 500 || '.com' FROM range(1, 50001)`,
    `INSERT INTO ip SELECT range, '10.' || range // 65536 || '.' || range // 256 % 256 || '.' || range % 256, range FROM range(1, 80001)`,
    `INSERT INTO rule SELECT range, 'DomainSuffix', 'example' || range || '.com' FROM range(1, 501)`,
    `INSERT INTO chain SELECT range, '["Proxy","node-' || range || '"]', 'Proxy', 'node-' || range, 'airport', 'proxied' FROM range(1, 101)`,
    `INSERT INTO lots SELECT 1, 1, 'ok', ${rows}, 0, 29000000, 29129600, 0, 0`,
    `INSERT INTO minute SELECT range, 1, (29000000 + range * 129600 // ${rows})::INTEGER, 0, 'agent-' || range % 20,
       range % 200 + 1, (hash(range) % 50000 + 1)::INTEGER, (hash(range + 1) % 80000 + 1)::INTEGER, 443, range % 500 + 1,
       range % 100 + 1, 'process-' || range % 80, 'tcp', 'HTTPS', 'in', '', 'US', '64500', false, range % 100000, range % 1000000, 1
     FROM range(1, ${rows + 1})`,
    'CHECKPOINT',
  ]) {
    await connection.run(statement);
  }
  connection.closeSync();
  instance.closeSync();
}

const open = async () => {
  const store = new EmbeddedFactStore({ path, threads: 2 });
  await store.start();
  return store;
};
await (await open()).stop();
await fill();
const store = await open();
const none = () => Promise.reject(new Error('not asked here'));
const service = new ExportService({
  facts: store,
  records: { exportConnections: none },
  traffic: { answer: none },
  freshness: { flushNow: async () => {}, state: { freshTo: 0 } },
});
const MB = 1024 * 1024;
for (const format of EXPORT_FORMATS) {
  global.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  const begun = performance.now();
  const question = { what: 'facts', facts: { tz: 'UTC', filter: null } } as const;
  const opened = await service.open(question, format, new AbortController().signal);
  let bytes = 0;
  for await (const piece of opened.body) bytes += (piece as Buffer).length;
  await opened.close();
  clearInterval(timer);
  const seconds = (performance.now() - begun) / 1000;
  console.log(
    `${format}: ${rows} rows, ${Math.round(bytes / MB)} MB, ${seconds.toFixed(1)} s, RSS ${Math.round(before / MB)} MB + ${Math.round((most - before) / MB)} MB`,
  );
}
await store.stop();
rmSync(directory, { recursive: true, force: true });
