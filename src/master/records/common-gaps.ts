import type { Sqlite } from '../../common/sqlite.ts';
import { commonGaps, type Span } from '../query/gap-state.ts';

const GAPS = `SELECT from_ms AS "from", to_ms AS "to" FROM gaps
  WHERE stream IN (SELECT num FROM streams WHERE agent_id = ?) AND from_ms < ? AND to_ms > ?`;

/** Here, beside the gaps: the few spans that are left cross to the other thread, not every gap of every agent. */
export function listCommonGaps(
  db: Sqlite,
  from: number,
  to: number,
  agents: readonly string[] | null,
): Span[] {
  return commonGaps(gapsOfEach(db, from, to, agents ?? knownAgents(db)));
}

function* gapsOfEach(db: Sqlite, from: number, to: number, agents: readonly string[]): Generator<Span[]> {
  const gaps = db.prepare(GAPS);
  const tick = db.prepare('SELECT tick()');
  for (const agent of agents) {
    tick.get();
    yield gaps.all(agent, to, from) as Span[];
  }
}

function knownAgents(db: Sqlite): string[] {
  return db.prepare('SELECT agent_id FROM agents').pluck().all() as string[];
}
