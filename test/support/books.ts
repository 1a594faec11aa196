import type { Sqlite } from '../../src/common/sqlite.ts';

/**
 * What must hold in a records database after anything at all: booked bytes of every record = its counter − its
 * base, and core + unmeasured = attributed + unattributed in every minute. Facts must still be there (not
 * forgotten). Returns the records, for more.
 */
export function checkBooks(db: Sqlite): { id: string; agent: string; down: number; up: number }[] {
  const wrong = db
    .prepare(
      `SELECT c.id, c.agent_id, c.conn_download - c.base_down AS down, c.conn_upload - c.base_up AS up,
         coalesce(f.down, 0) AS booked_down, coalesce(f.up, 0) AS booked_up
       FROM connections c LEFT JOIN (
         SELECT conn, total(down) AS down, total(up) AS up FROM pending_facts WHERE kind <> 2 GROUP BY conn
       ) f ON f.conn = c.num
       WHERE c.imported IS NOT 0 AND (coalesce(f.down, 0) <> c.conn_download - c.base_down OR coalesce(f.up, 0) <> c.conn_upload - c.base_up)`,
    )
    .all();
  if (wrong.length > 0) throw new Error(`booked is not counter − base: ${JSON.stringify(wrong.slice(0, 5))}`);
  const minutes = db
    .prepare(
      `SELECT agent, minute, total(d) AS down, total(u) AS up FROM (
         SELECT agent_id AS agent, bucket AS minute, down AS d, up AS u FROM pending_facts WHERE kind <> 1
         UNION ALL SELECT agent_id, minute, -down - unmeasured_down, -up - unmeasured_up FROM core_totals)
       GROUP BY 1, 2 HAVING total(d) <> 0 OR total(u) <> 0`,
    )
    .all();
  if (minutes.length > 0) throw new Error(`minutes do not balance: ${JSON.stringify(minutes.slice(0, 5))}`);
  return db
    .prepare(
      'SELECT id, agent_id AS agent, conn_download AS down, conn_upload AS up FROM connections WHERE imported IS NOT 0',
    )
    .all() as { id: string; agent: string; down: number; up: number }[];
}
