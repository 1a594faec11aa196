import { CodedError } from '../../common/errors.ts';
import { type Sqlite, safeSum } from '../../common/sqlite.ts';
import { minuteOf } from '../../domain/bucket.ts';
import type { CoreTotalsRow, Period } from './query.ts';

const SUMS = `SELECT ${safeSum('down')} AS download, ${safeSum('up')} AS upload,
    ${safeSum('unmeasured_down')} AS unmeasuredDownload, ${safeSum('unmeasured_up')} AS unmeasuredUpload,
    count(*) AS rows
  FROM core_totals WHERE agent_id = ? AND minute >= ? AND minute < ?`;

/** Where an agent has any minutes; most have none in most of many periods. Also lets the question be called off. */
const EXTENT = `SELECT tick(),
  (SELECT min(minute) FROM core_totals WHERE agent_id = @agent AND minute >= @from AND minute < @to) AS first,
  (SELECT max(minute) FROM core_totals WHERE agent_id = @agent AND minute >= @from AND minute < @to) AS last`;

interface Extent {
  first: number | null;
  last: number | null;
}

/** Sums of an answer: some 13 MB of `/verify`. */
const MAX_SUMS = 20_000;

/** One range of the primary key for each agent and period, so only minutes that were asked for are read. */
export function sumCoreTotals(
  db: Sqlite,
  periods: readonly Period[],
  agentId: string | null,
): CoreTotalsRow[] {
  return db.transaction(() => {
    const sums = db.prepare(SUMS);
    const extent = db.prepare(EXTENT);
    const rows: CoreTotalsRow[] = [];
    const whole = [minuteOf(periods[0]?.from ?? 0), minuteOf(periods.at(-1)?.to ?? 0)];
    for (const agent of agentId === null ? knownAgents(db) : [agentId]) {
      const { first, last } = extent.get({ agent, from: whole[0], to: whole[1] }) as Extent;
      if (first === null || last === null) continue;
      for (const [period, { from, to }] of periods.entries()) {
        if (minuteOf(to) <= first || minuteOf(from) > last) continue;
        const sum = sums.get(agent, minuteOf(from), minuteOf(to)) as CoreTotalsRow & { rows: number };
        if (sum.rows === 0) continue;
        if (rows.length === MAX_SUMS) throw tooManySums();
        const { download, upload, unmeasuredDownload, unmeasuredUpload } = sum;
        rows.push({ agentId: agent, period, download, upload, unmeasuredDownload, unmeasuredUpload });
      }
    }
    return rows;
  })();
}

function tooManySums(): CodedError {
  return new CodedError('query_too_large', `there are more than ${MAX_SUMS} agents and periods`, {
    details: [
      { field: 'agent', problem: 'name one, or use group=range, or less time between "from" and "to"' },
    ],
  });
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
