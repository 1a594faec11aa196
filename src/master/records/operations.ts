import type { Sqlite } from '../../common/sqlite.ts';
import { listAgents } from './agents.ts';
import { sumCoreTotals } from './core-totals.ts';
import { listConnections } from './list-connections.ts';
import type { ConnectionsQuery, Period } from './query.ts';
import { listGaps, listLost, listRuns } from './stream-events.ts';
import { listWaiting } from './waiting.ts';

/** What the worker can be asked, by name. Arguments and results cross threads, so they are plain data. */
export const OPERATIONS = {
  connections: (db: Sqlite, query: ConnectionsQuery) => listConnections(db, query),
  agents: (db: Sqlite) => listAgents(db),
  gaps: (db: Sqlite, from: number, to: number, agentId: string | null) => listGaps(db, from, to, agentId),
  lost: (db: Sqlite, from: number, to: number, agentId: string | null) => listLost(db, from, to, agentId),
  runs: (db: Sqlite, from: number, to: number, agentId: string | null) => listRuns(db, from, to, agentId),
  coreTotals: (db: Sqlite, periods: readonly Period[], agentId: string | null) =>
    sumCoreTotals(db, periods, agentId),
  waiting: (db: Sqlite) => listWaiting(db),
} as const;

export type Operations = typeof OPERATIONS;
export type OperationName = keyof Operations;
type Tail<F> = F extends (db: Sqlite, ...args: infer A) => unknown ? A : never;
export type OperationArgs<N extends OperationName> = Tail<Operations[N]>;
export type OperationResult<N extends OperationName> = ReturnType<Operations[N]>;
