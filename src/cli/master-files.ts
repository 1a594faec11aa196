import { dirname, join } from 'node:path';

/**
 * The files that stand beside `--database`: `master.db` → `master.facts.duckdb`, `master.local.db`, `master.tmp`, and the
 * directory `backup`.
 */
export function filesBeside(database: string): {
  facts: string;
  local: string;
  temp: string;
  backups: string;
} {
  const stem = database.replace(/\.(db|sqlite3?)$/i, '');
  return {
    facts: `${stem}.facts.duckdb`,
    local: `${stem}.local.db`,
    temp: `${stem}.tmp`,
    backups: join(dirname(database), 'backup'),
  };
}
