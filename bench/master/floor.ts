import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { type Load, v1Bodies, v2Bodies } from './bodies.ts';

/**
 * The baseline: what no master on this engine can do without. It parses the same bodies and keeps one narrow row for
 * each record in an SQLite table, a durable transaction a body, in one process: no HTTP, no merge, no facts.
 *
 * `node bench/master/floor.ts FILE PROTOCOL LOAD_AS_JSON`
 */
const [file = '', protocol, text = ''] = process.argv.slice(2);
const load = JSON.parse(text) as Load;
const bodies = (protocol === 'v1' ? v1Bodies : v2Bodies)(load);
const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec('CREATE TABLE kept (id TEXT PRIMARY KEY, download INTEGER, upload INTEGER, at)');
const put = db.prepare(
  `INSERT INTO kept (id, download, upload, at) VALUES (?, ?, ?, ?)
   ON CONFLICT (id) DO UPDATE SET download = excluded.download, upload = excluded.upload, at = excluded.at`,
);

interface Parsed {
  connections: { id: string; download: number; upload: number; last_updated: string }[];
  samples: number[][];
  strings: string[];
}

const begun = performance.now();
let count = 0;
for (const body of bodies) {
  const plain = body.headers['content-encoding'] === 'gzip' ? gunzipSync(body.bytes) : body.bytes;
  const parsed = JSON.parse(plain.toString('utf8')) as Parsed;
  db.transaction(() => {
    if (protocol === 'v1') {
      for (const record of parsed.connections) {
        put.run(record.id, record.download, record.upload, record.last_updated);
      }
    } else {
      for (const [id = 0, minute, download, upload] of parsed.samples) {
        put.run(parsed.strings[id], download, upload, minute);
      }
    }
  })();
  count += body.count;
}
const seconds = (performance.now() - begun) / 1000;
db.close();
process.send?.({ perSecond: count / seconds });
process.disconnect?.();
