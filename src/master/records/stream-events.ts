import type { Sqlite } from '../../common/sqlite.ts';
import type { GapRow, LostRow, RunRow } from './query.ts';

/** What streams report beside samples: few rows each, so their tables are read whole. */
const OF_AGENT = '(@agent IS NULL OR s.agent_id = @agent)';
const JOINED = 'e JOIN streams s ON s.num = e.stream';

export function listGaps(db: Sqlite, from: number, to: number, agentId: string | null): GapRow[] {
  const sql = `SELECT s.agent_id AS agentId, e.from_ms AS "from", e.to_ms AS "to", e.reason
    FROM gaps ${JOINED} WHERE e.from_ms < @to AND e.to_ms > @from AND ${OF_AGENT} ORDER BY e.from_ms, s.agent_id, e.id`;
  return db.prepare(sql).all({ from, to, agent: agentId }) as GapRow[];
}

export function listLost(db: Sqlite, from: number, to: number, agentId: string | null): LostRow[] {
  const sql = `SELECT s.agent_id AS agentId, e.from_ms AS "from", e.to_ms AS "to", e.down AS download,
      e.up AS upload, e.connections, e.reason
    FROM lost ${JOINED} WHERE e.from_ms < @to AND e.to_ms >= @from AND ${OF_AGENT} ORDER BY e.from_ms, s.agent_id, e.id`;
  return db.prepare(sql).all({ from, to, agent: agentId }) as LostRow[];
}

export function listRuns(db: Sqlite, from: number, to: number, agentId: string | null): RunRow[] {
  const sql = `SELECT s.agent_id AS agentId, e.from_ms AS "from", e.version
    FROM runs ${JOINED} WHERE e.from_ms < @to AND e.from_ms >= @from AND ${OF_AGENT} ORDER BY e.from_ms, s.agent_id, e.id`;
  return db.prepare(sql).all({ from, to, agent: agentId }) as RunRow[];
}
