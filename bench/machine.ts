import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** What the figures depend on, line by line. */
export function machine(root: string): string[] {
  const [cpu] = cpus();
  const load = loadavg()
    .slice(0, 2)
    .map((value) => value.toFixed(1))
    .join(', ');
  return [
    `date: ${new Date().toISOString().slice(0, 16)}Z`,
    `commit: ${commit(root)}`,
    `machine: ${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, load before ${load}`,
    `versions: Node ${process.versions.node}, SQLite ${sqlite()}, DuckDB ${duckdb(root)}`,
  ];
}

function commit(root: string): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  try {
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', 'src') === '' ? '' : ' with changes')
    );
  } catch {
    return 'unknown';
  }
}

function sqlite(): string {
  const db = new Database(':memory:');
  const row = db.prepare('SELECT sqlite_version() AS version').get() as { version: string };
  db.close();
  return row.version;
}

function duckdb(root: string): string {
  const file = join(root, 'node_modules', '@duckdb', 'node-api', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
