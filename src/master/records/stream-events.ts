import { CodedError } from '../../common/errors.ts';
import type { Sqlite } from '../../common/sqlite.ts';
import type { FirstRunRow, GapRow, LostRow } from './query.ts';

/** Rows of an answer, of each kind. */
const MAX_EVENTS = 100_000;

/** What streams report beside samples: few rows each, so their tables are read whole. */
const OF_AGENT = '(@agent IS NULL OR s.agent_id = @agent)';
const JOINED = 'e JOIN streams s ON s.num = e.stream';

export function listGaps(db: Sqlite, from: number, to: number, agentId: string | null): GapRow[] {
  const sql = `SELECT s.agent_id AS agentId, e.from_ms AS "from", e.to_ms AS "to", e.reason
    FROM gaps ${JOINED} WHERE e.from_ms < @to AND e.to_ms > @from AND ${OF_AGENT} ORDER BY e.from_ms, s.agent_id, e.id`;
  return bounded(db, 'gaps', sql, { from, to, agent: agentId });
}

export function listLost(db: Sqlite, from: number, to: number, agentId: string | null): LostRow[] {
  const sql = `SELECT s.agent_id AS agentId, e.from_ms AS "from", e.to_ms AS "to", e.down AS download,
      e.up AS upload, e.connections, e.reason
    FROM lost ${JOINED} WHERE e.from_ms < @to AND e.to_ms >= @from AND ${OF_AGENT} ORDER BY e.from_ms, s.agent_id, e.id`;
  return bounded(db, 'losses', sql, { from, to, agent: agentId });
}

export function listFirstRuns(db: Sqlite, agentId: string | null): FirstRunRow[] {
  const sql = `SELECT s.agent_id AS agentId, min(e.from_ms) AS "from" FROM runs ${JOINED} WHERE ${OF_AGENT}
    GROUP BY s.agent_id`;
  return db.prepare(sql).all({ agent: agentId }) as FirstRunRow[];
}

function bounded<T>(db: Sqlite, what: string, sql: string, values: object): T[] {
  const rows = db.prepare(`${sql} LIMIT ${MAX_EVENTS + 1}`).all(values) as T[];
  if (rows.length <= MAX_EVENTS) return rows;
  throw new CodedError('query_too_large', `there are more than ${MAX_EVENTS} ${what} in this time`, {
    details: [{ field: 'agent', problem: 'name one, or less time between "from" and "to"' }],
  });
}
