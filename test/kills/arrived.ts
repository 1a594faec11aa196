import { openReader } from '../../src/common/sqlite.ts';
import { RecordsFile } from '../support/records-file.ts';
import type { AgentSlot } from './world.ts';

/** Whether the master has every listed connection with its newest counters, and the fact store every fact. */
export function everythingArrived(database: string, agents: readonly AgentSlot[]): boolean {
  const file = new RecordsFile(database);
  try {
    const [waiting] = file.all(
      `SELECT 1 FROM pending_facts WHERE lot IS NULL UNION ALL SELECT 1 FROM lots WHERE state = 'sealed'
       UNION ALL SELECT 1 FROM connections WHERE imported = 0 LIMIT 1`,
    );
    if (waiting !== undefined) return false;
    const records = new Map(file.records().map((row) => [`${row.agent_id} ${row.id}`, row]));
    return agents.every((agent) => {
      const { core } = agent.core;
      const { connections } = core.truth;
      return (
        isDelivered(agent.journal) &&
        core.ids().every((id) => {
          const record = records.get(`${agent.id} ${id}`);
          const true_ = connections.get(id);
          return record?.down === true_?.download && record?.up === true_?.upload;
        })
      );
    });
  } finally {
    file.close();
  }
}

function isDelivered(path: string): boolean {
  const db = openReader(path);
  try {
    const row = db
      .prepare(
        `SELECT (SELECT count(*) FROM samples WHERE dirty = 1) + (SELECT count(*) FROM totals WHERE dirty = 1)
           + (SELECT count(*) FROM connections WHERE dirty = 1 OR close_dirty = 1) AS n`,
      )
      .get() as { n: number };
    return row.n === 0;
  } finally {
    db.close();
  }
}
