import { DESCRIPTIVE_FIELDS } from '../../domain/connection.ts';
import { DIMENSIONS } from '../../domain/dimensions.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import type { Filters } from '../query/filter.ts';
import type { GapSource } from '../query/gap-state.ts';
import type { SortOrder } from '../query/metrics.ts';
import { computeOf } from '../store/dictionary-values.ts';

export const CONNECTION_SORT_KEYS = ['start', 'last_updated', 'download', 'upload', 'total'] as const;
export type ConnectionSortKey = (typeof CONNECTION_SORT_KEYS)[number];
export const MAX_CONNECTIONS_LIMIT = 1000;
export const DEFAULT_CONNECTIONS_LIMIT = 100;
/** Up to here `total_count` is exact; counting further would read the whole table for a number nobody reads. */
export const COUNT_CAP = 100_000;

export const CONNECTION_STATES = ['open', 'closed'] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** Which records. Times: epoch ms, half-open; a record fits when it *overlaps* the interval. */
export interface SelectedConnections {
  /** As those of `/stats`: a list from there must show what a chart summed. */
  readonly filters: Filters;
  /** Parsed in the scope `connections`. */
  readonly filter: Filter | null;
  readonly state: ConnectionState | null;
  readonly counted: boolean | null;
  /** In which local times of `filter` are read; IANA name. */
  readonly zone: string;
  /** Epoch ms: open connections are that old. */
  readonly now: number;
  readonly from: number | null;
  readonly to: number | null;
}

/** What `GET /connections` asks: a page of a selection. */
export interface ConnectionsQuery extends SelectedConnections {
  readonly sortBy: ConnectionSortKey;
  readonly order: SortOrder;
  readonly limit: number;
  readonly offset: number;
  /** Where an earlier page ended (`next_cursor`); with it, `offset` is 0. */
  readonly cursor: string | null;
}

const FIELD_NAMES: readonly string[] = DESCRIPTIVE_FIELDS.map(({ name }) => name);

/** Dimensions that no field of a record holds as they are; rows show them under their own names. */
export const DERIVED_DIMENSIONS = DIMENSIONS.filter(
  (dimension) =>
    dimension.listed || (computeOf(dimension) !== undefined && !FIELD_NAMES.includes(dimension.name)),
);

/** A connection as the API shows it: absolute counters, times RFC 3339 in UTC. */
export interface ConnectionRecord {
  id: string;
  agent_id: string;
  download: number;
  upload: number;
  last_updated: string;
  start: string;
  closed_at: string | null;
  /** In the core's totals; false for overlay (repeats bytes of a counted connection). */
  counted: boolean;
  /** The descriptive fields (`domain/connection.ts`), and the dimensions that follow from them. */
  [field: string]: string | number | boolean | null;
}

/** A record with its number, by which facts refer to it; null for a row that waits for its import. */
export interface NumberedRecord {
  num: number | null;
  record: ConnectionRecord;
}

export interface ConnectionsPage {
  records: NumberedRecord[];
  total: number;
  /** There are more than `total`. */
  capped: boolean;
  nextCursor: string | null;
}

/** Where an export of records goes on: the rows of the file after `after`, up to `until`. */
export interface ExportPart {
  readonly after: number;
  readonly until: number;
}

/** Records of an export, as lists of cells in the order of `EXPORTED_COLUMNS`; `next` is null after the last. */
export interface ExportedRecords {
  readonly rows: (string | number | boolean | null)[][];
  readonly next: ExportPart | null;
}

/** What is known of an agent from its last contact. Times: epoch ms of the master's clock, 0 = never. */
export interface AgentRow {
  agentId: string;
  firstSeen: number;
  lastContact: number;
  /** 1: the original's wire; 2: ours. */
  protocol: number;
  version: string;
  coreVersion: string;
  coreState: string;
  lastSnapshot: number;
  clockOffsetMs: number;
  /** Rows waiting in its journal when it last synced. */
  backlog: number;
  /** Seconds between two syncs, 0 = not announced. */
  syncIntervalS: number;
  sampleIntervalMs: number;
  /** Start of the newest minute that was booked. */
  bookedTo: number;
  quarantined: number;
  journalBytes: number;
  journalBudget: number;
  records: number;
  /** Totals of its core have come, so its books can be checked where they cover them. */
  measured: boolean;
  /** From its first sign to its newest. */
  conflict: { since: number; at: number; what: string } | null;
  lost: { connections: number; download: number; upload: number };
}

/** An interval without snapshots, epoch ms. */
export interface GapRow {
  agentId: string;
  from: number;
  to: number;
  reason: string;
}

/** What an agent gave up, with its reason: a part of unattributed. Bytes; epoch ms. */
export interface LostRow {
  agentId: string;
  from: number;
  to: number;
  download: number;
  upload: number;
  connections: number;
  reason: string;
}

/** The first life of a core process that an agent saw, from its first snapshot (epoch ms). */
export interface FirstRunRow {
  agentId: string;
  from: number;
}

/** Half-open, epoch ms, on whole minutes. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** Accepted increases of the core's totals in one period, and what no totals cover (`unmeasured`). Bytes. */
export interface CoreTotalsRow {
  agentId: string;
  /** Index into the periods asked for. */
  period: number;
  download: number;
  upload: number;
  unmeasuredDownload: number;
  unmeasuredUpload: number;
}

/** Facts of an agent that are merged and not in the fact store yet lie in `[from, to)`, epoch ms. */
export interface WaitingRow extends Period {
  agentId: string;
}

/** What the records database answers. Every method may throw `query_timeout` or `busy`. */
export interface Records extends GapSource {
  connections(query: ConnectionsQuery): Promise<ConnectionsPage>;
  /** One record, null when there is none of that id. */
  connection(agentId: string, id: string): Promise<NumberedRecord | null>;
  /**
   * The next records that a query asks for, whatever its order and page, in the order in which they came; each once,
   * and none that came after the first part was read. A part takes so little time that others do not wait for it.
   */
  exportConnections(query: SelectedConnections, part: ExportPart | null): Promise<ExportedRecords>;
  /** By agent id; all, or one. */
  agents(agentId?: string): Promise<AgentRow[]>;
  /**
   * Those that overlap the interval, by time; of one agent or of all. Like `lost` and `coreTotals`, throws
   * `query_too_large` rather than to answer with more rows than memory should hold.
   */
  gaps(from: number, to: number, agentId?: string): Promise<GapRow[]>;
  lost(from: number, to: number, agentId?: string): Promise<LostRow[]>;
  /** Only agents that saw any. */
  firstRuns(agentId?: string): Promise<FirstRunRow[]>;
  /** Only agents and periods that have any. Periods ascend and do not overlap. */
  coreTotals(periods: readonly Period[], agentId?: string): Promise<CoreTotalsRow[]>;
  /** One row for each agent that has any. */
  waiting(): Promise<WaitingRow[]>;
}
