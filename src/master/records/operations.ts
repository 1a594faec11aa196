import type { Sqlite } from '../../common/sqlite.ts';
import { listAgents } from './agents.ts';
import { listCommonGaps } from './common-gaps.ts';
import { sumCoreTotals } from './core-totals.ts';
import { exportConnections } from './export-connections.ts';
import { findConnection, listConnections } from './list-connections.ts';
import type { ConnectionsQuery, ExportPart, Period, SelectedConnections } from './query.ts';
import { listFirstRuns, listGaps, listLost } from './stream-events.ts';
import { listWaiting } from './waiting.ts';

/** What the worker can be asked, by name. Arguments and results cross threads, so they are plain data. */
export const OPERATIONS = {
  connections: (db: Sqlite, query: ConnectionsQuery) => listConnections(db, query),
  connection: (db: Sqlite, agentId: string, id: string) => findConnection(db, agentId, id),
  exportConnections: (db: Sqlite, query: SelectedConnections, part: ExportPart | null) =>
    exportConnections(db, query, part),
  agents: (db: Sqlite, agentId: string | null) => listAgents(db, agentId),
  gaps: (db: Sqlite, from: number, to: number, agentId: string | null) => listGaps(db, from, to, agentId),
  commonGaps: (db: Sqlite, from: number, to: number, agents: readonly string[] | null) =>
    listCommonGaps(db, from, to, agents),
  lost: (db: Sqlite, from: number, to: number, agentId: string | null) => listLost(db, from, to, agentId),
  firstRuns: (db: Sqlite, agentId: string | null) => listFirstRuns(db, agentId),
  coreTotals: (db: Sqlite, periods: readonly Period[], agentId: string | null) =>
    sumCoreTotals(db, periods, agentId),
  waiting: (db: Sqlite) => listWaiting(db),
} as const;

export type Operations = typeof OPERATIONS;
export type OperationName = keyof Operations;
type Tail<F> = F extends (db: Sqlite, ...args: infer A) => unknown ? A : never;
export type OperationArgs<N extends OperationName> = Tail<Operations[N]>;
export type OperationResult<N extends OperationName> = ReturnType<Operations[N]>;
