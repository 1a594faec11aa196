import { prepared, type Sqlite } from '../../common/sqlite.ts';
import type { SyncRequest } from '../../protocol/v2.ts';

/** Gaps, runs, and lost rows of an agent that are kept, of each. */
const MAX_MARKS = 10_000;
/** What is left of them then, so that not every batch has to make room. */
const KEPT = 9000;

export interface Mark {
  stream: number;
  id: number;
  from: number;
  to: number;
  reason: string;
}

interface Loss extends Mark {
  down: number;
  up: number;
  connections: number;
}

const OF_AGENT = 'stream IN (SELECT num FROM streams WHERE agent_id = ?)';

/**
 * Keeps what an agent reports beside samples within bounds, after a batch that brought some. Gaps are joined with their
 * nearest neighbours, the oldest losses become one, and of runs the first and the newest stay: so the time that was not
 * watched is never told shorter than it was, and what was lost still adds up.
 */
export function boundMarks(db: Sqlite, agentId: string, request: SyncRequest): void {
  const tooMany = (table: 'gaps' | 'lost' | 'runs') =>
    (request[table]?.length ?? 0) > 0 &&
    (prepared(db, `SELECT count(*) FROM ${table} WHERE ${OF_AGENT}`).pluck().get(agentId) as number) >
      MAX_MARKS;
  if (tooMany('gaps')) joinGaps(db, agentId);
  if (tooMany('lost')) joinLosses(db, agentId);
  if (tooMany('runs')) dropRuns(db, agentId);
}

/**
 * Groups of marks, in order of time, that become one each so that `most` are left: those with the least time between
 * them.
 */
export function nearest<M extends { from: number; to: number }>(marks: readonly M[], most: number): M[][] {
  const sorted = [...marks].sort((a, b) => a.from - b.from);
  let reached = Number.NEGATIVE_INFINITY;
  const apart = sorted.map(({ from, to }, index) => {
    const distance = from - reached;
    reached = Math.max(reached, to);
    return { distance, index };
  });
  const joined = apart
    .slice(1)
    .sort((a, b) => a.distance - b.distance || a.index - b.index)
    .slice(0, Math.max(0, marks.length - most));
  const joins = new Set(joined.map(({ index }) => index));
  const groups: M[][] = [];
  for (const [index, mark] of sorted.entries()) {
    const group = groups.at(-1);
    if (group !== undefined && joins.has(index)) group.push(mark);
    else groups.push([mark]);
  }
  return groups;
}

function joinGaps(db: Sqlite, agentId: string): void {
  const gaps = db
    .prepare(`SELECT stream, id, from_ms AS "from", to_ms AS "to", reason FROM gaps WHERE ${OF_AGENT}`)
    .all(agentId) as Mark[];
  const insert = db.prepare('INSERT INTO gaps (stream, id, from_ms, to_ms, reason) VALUES (?, ?, ?, ?, ?)');
  for (const group of nearest(gaps, KEPT)) {
    if (group.length === 1) continue;
    const { stream, id } = replace(db, 'gaps', group);
    const longest = group.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
    insert.run(stream, id, earliest(group), latest(group), longest.reason);
  }
}

function joinLosses(db: Sqlite, agentId: string): void {
  const losses = db
    .prepare(
      `SELECT stream, id, from_ms AS "from", to_ms AS "to", down, up, connections, reason FROM lost WHERE ${OF_AGENT}
       ORDER BY to_ms, id`,
    )
    .all(agentId) as Loss[];
  const oldest = losses.slice(0, losses.length - KEPT + 1);
  const { stream, id } = replace(db, 'lost', oldest);
  const sum = (key: 'down' | 'up' | 'connections') =>
    oldest.reduce((total, loss) => Math.min(Number.MAX_SAFE_INTEGER, total + loss[key]), 0);
  db.prepare(
    'INSERT INTO lost (stream, id, from_ms, to_ms, down, up, connections, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    stream,
    id,
    earliest(oldest),
    latest(oldest),
    sum('down'),
    sum('up'),
    sum('connections'),
    oldest.at(-1)?.reason,
  );
}

function dropRuns(db: Sqlite, agentId: string): void {
  // The first says since when there is anything to be watched.
  db.prepare(
    `DELETE FROM runs WHERE (stream, id) IN (
       SELECT stream, id FROM runs WHERE ${OF_AGENT} ORDER BY from_ms DESC LIMIT -1 OFFSET ?)
     AND from_ms > (SELECT min(from_ms) FROM runs WHERE ${OF_AGENT})`,
  ).run(agentId, KEPT, agentId);
}

/** Takes marks out, and returns the key of the one in their place: negative, for agents count theirs from 0. */
function replace(db: Sqlite, table: 'gaps' | 'lost', marks: readonly Mark[]): { stream: number; id: number } {
  const stream = marks[0]?.stream ?? 0;
  const remove = prepared(db, `DELETE FROM ${table} WHERE stream = ? AND id = ?`);
  const least = prepared(db, `SELECT min(id, 0) FROM ${table} WHERE stream = ? ORDER BY id LIMIT 1`).pluck();
  const id = ((least.get(stream) as number | undefined) ?? 0) - 1;
  for (const mark of marks) remove.run(mark.stream, mark.id);
  return { stream, id };
}

function earliest(marks: readonly Mark[]): number {
  return marks.reduce((at, { from }) => Math.min(at, from), Number.POSITIVE_INFINITY);
}

function latest(marks: readonly Mark[]): number {
  return marks.reduce((at, { to }) => Math.max(at, to), Number.NEGATIVE_INFINITY);
}
