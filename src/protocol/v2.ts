import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { MAX_AGENT_ID_CHARACTERS } from '../domain/agent-id.ts';
import { DESCRIPTIVE_FIELDS } from '../domain/connection.ts';
import { GAP_REASONS } from '../domain/snapshot.ts';
import {
  MAX_INFLIGHT,
  MAX_INTEGER,
  PROTOCOL_VERSION,
  REJECT_CODES,
  ROW_ORDER,
  type RowArray,
  TOKEN,
} from './constants.ts';

/*
 * `POST /api/v2/sync`: rows are arrays, strings stand once in `strings` and are named by their index.
 * Times are epoch milliseconds, minutes are whole minutes since the epoch (UTC), counters are absolute bytes.
 *
 * Agents take types from here, and nothing that is there at run time: that is in `constants.ts`.
 */

const Count = Type.Integer({ minimum: 0, maximum: MAX_INTEGER });
const Text = Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'index into strings' });
const Flag = Type.Integer({ minimum: 0, maximum: 3 });
const Token = Type.String(TOKEN);

/** `[id, start, base_down, base_up, counted, ...descriptive fields in the order of DESCRIPTIVE_FIELDS]` */
export const ConnectionRow = Type.Tuple([
  Text,
  Count,
  Count,
  Count,
  Type.Integer({ minimum: 0, maximum: 1 }),
  ...DESCRIPTIVE_FIELDS.map((field) =>
    field.type === 'integer' ? Type.Integer({ minimum: 0, maximum: 0xffffffff }) : Text,
  ),
]);

/** `[connection, closed_at]` */
export const ClosedRow = Type.Tuple([Text, Count]);
/** `[connection, minute, down, up, recovered_down, recovered_up, flags]` */
export const SampleRow = Type.Tuple([Text, Count, Count, Count, Count, Count, Flag]);
/** `[minute, down, up]`: running sums of the accepted increases of the core's totals since the journal began. */
export const TotalsRow = Type.Tuple([Count, Count, Count]);
/** `[id, from, to, reason]` */
export const GapRow = Type.Tuple([
  Count,
  Count,
  Count,
  Type.Union(GAP_REASONS.map((reason) => Type.Literal(reason))),
]);
/** `[id, from, version]`: a core run that began (or was first seen) at `from`. */
export const RunRow = Type.Tuple([Count, Count, Text]);

const LOST_REASONS = ['disk-budget', 'forgotten-by-master'] as const;
/** `[id, from, to, down, up, connections, reason]`: explains a part of unattributed; never added to it. */
export const LostRow = Type.Tuple([
  Count,
  Count,
  Count,
  Count,
  Count,
  Count,
  Type.Union(LOST_REASONS.map((reason) => Type.Literal(reason))),
]);

/** The layout of the rows of each array. */
export const ROW_ARRAYS = {
  runs: RunRow,
  gaps: GapRow,
  connections: ConnectionRow,
  samples: SampleRow,
  totals: TotalsRow,
  closed: ClosedRow,
  lost: LostRow,
} as const satisfies Record<RowArray, TSchema>;

/** The envelope; rows are validated one by one, so that a bad row never costs its batch. */
export const SyncRequest = Type.Object({
  v: Type.Literal(PROTOCOL_VERSION),
  agent_id: Type.String({
    minLength: 1,
    maxLength: 8 * MAX_AGENT_ID_CHARACTERS,
    description: 'see normalAgentId',
  }),
  stream: Token,
  boot: Token,
  batch: Token,
  prev: Type.Union([Token, Type.Null()]),
  inflight: Type.Array(Token, { maxItems: MAX_INFLIGHT }),
  sent_at: Count,
  core: Type.Object({
    version: Type.String({ maxLength: 128 }),
    state: Type.Union([
      Type.Literal('connected'),
      Type.Literal('down'),
      Type.Literal('unauthorized'),
      Type.Literal('stalled'),
    ]),
    last_snapshot: Count,
  }),
  strings: Type.Array(Type.String({ maxLength: 8192 }), { maxItems: 200_000 }),
  runs: Type.Array(Type.Unknown()),
  gaps: Type.Array(Type.Unknown()),
  connections: Type.Array(Type.Unknown()),
  samples: Type.Array(Type.Unknown()),
  totals: Type.Array(Type.Unknown()),
  closed: Type.Array(Type.Unknown()),
  lost: Type.Array(Type.Unknown()),
  agent: Type.Object({
    version: Type.String({ maxLength: 64 }),
    /** Rows waiting in the journal, this batch included. */
    backlog: Count,
    /** Seconds between two syncs, 0 = not periodic. */
    interval: Count,
    /** Milliseconds between two snapshots. */
    sample_interval: Count,
    quarantined: Count,
    journal_bytes: Count,
    journal_budget: Count,
  }),
});
export type SyncRequest = Static<typeof SyncRequest>;

export const SyncAnswer = Type.Object({
  ok: Type.Boolean(),
  /** The head before this request: the boot's own, else the stream's newest; null where the stream has none. */
  head_before: Type.Union([Token, Type.Null()]),
  /** Rows taken. */
  accepted: Count,
  rejected: Type.Array(
    Type.Tuple([
      Type.Union(ROW_ORDER.map((name) => Type.Literal(name))),
      Count,
      Type.Union(REJECT_CODES.map((code) => Type.Literal(code))),
    ]),
  ),
  /** Epoch milliseconds of the master's clock. */
  server_time: Count,
  limits: Type.Object({ rows: Count, bytes: Count }),
});
export type SyncAnswer = Static<typeof SyncAnswer>;
