import type { Sqlite } from '../../common/sqlite.ts';
import { MINUTE_MS } from '../../domain/bucket.ts';
import type { WaitingRow } from './query.ts';

/** Per agent, the minutes of facts that are merged and not yet in the fact store: only those rows are read. */
export function listWaiting(db: Sqlite): WaitingRow[] {
  const sql = `SELECT agent_id AS agentId, min(bucket) * ${MINUTE_MS} AS "from", (max(bucket) + 1) * ${MINUTE_MS} AS "to"
    FROM pending_facts INDEXED BY pending_facts_by_lot
    WHERE lot IS NULL OR lot IN (SELECT lot FROM lots WHERE state = 'sealed') GROUP BY agent_id`;
  return db.prepare(sql).all() as WaitingRow[];
}
