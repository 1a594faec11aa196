import { type Sqlite, safeSum } from '../../common/sqlite.ts';
import { minuteOf } from '../../domain/bucket.ts';
import type { CoreTotalsRow, Period } from './query.ts';

const SUMS = `SELECT ${safeSum('down')} AS download, ${safeSum('up')} AS upload,
    ${safeSum('unmeasured_down')} AS unmeasuredDownload, ${safeSum('unmeasured_up')} AS unmeasuredUpload,
    count(*) AS rows
  FROM core_totals WHERE agent_id = ? AND minute >= ? AND minute < ?`;

/** One range of the primary key for each agent and period, so only minutes that were asked for are read. */
export function sumCoreTotals(
  db: Sqlite,
  periods: readonly Period[],
  agentId: string | null,
): CoreTotalsRow[] {
  return db.transaction(() => {
    const sums = db.prepare(SUMS);
    const rows: CoreTotalsRow[] = [];
    for (const agent of agentId === null ? knownAgents(db) : [agentId]) {
      for (const [period, { from, to }] of periods.entries()) {
        const sum = sums.get(agent, minuteOf(from), minuteOf(to)) as CoreTotalsRow & { rows: number };
        if (sum.rows === 0) continue;
        const { download, upload, unmeasuredDownload, unmeasuredUpload } = sum;
        rows.push({ agentId: agent, period, download, upload, unmeasuredDownload, unmeasuredUpload });
      }
    }
    return rows;
  })();
}

/** Agents that have totals, found by skipping from one to the next in the primary key. */
function knownAgents(db: Sqlite): string[] {
  const next = db.prepare('SELECT agent_id FROM core_totals WHERE agent_id > ? ORDER BY agent_id LIMIT 1');
  const agents: string[] = [];
  for (let last = ''; ; ) {
    const row = next.get(last) as { agent_id: string } | undefined;
    if (row === undefined) return agents;
    agents.push(row.agent_id);
    last = row.agent_id;
  }
}
