import { CodedError } from '../../common/errors.ts';
import { MINUTE_MS } from '../../domain/bucket.ts';
import type { Bytes } from '../../domain/connection.ts';
import { formatTime } from '../../domain/time.ts';
import { isCut, plus } from '../query/sums.ts';
import { deliveredTo } from '../records/delivered-to.ts';
import type { AgentRow, CoreTotalsRow, FirstRunRow, GapRow, LostRow, WaitingRow } from '../records/query.ts';
import type { MissingFacts } from '../store/store.ts';
import type { BookSums } from './book-sums.ts';
import { coverageOf } from './coverage.ts';
import { type ExplainedBy, MissingBooks } from './verify-missing.ts';
import type { NamedPeriod } from './verify-periods.ts';

export type BookState = 'balanced' | 'open' | 'incomplete' | 'unbalanced' | 'not measured';

/** A row of `/verify`. `difference = core + unmeasured − attributed − unattributed`, each way apart. */
export interface VerifyRow {
  agent_id: string;
  day: string | null;
  from: string;
  to: string;
  core: Bytes | null;
  attributed: Bytes;
  recovered: Bytes;
  unattributed: Bytes;
  unmeasured: Bytes;
  difference: Bytes | null;
  /** Lots of which the fact store has no facts, and how much of the difference they explain. */
  missing: ExplainedBy[];
  lost: Bytes;
  coverage: number | null;
  gaps: { from: string; to: string; reason: string }[];
  state: BookState;
}

/** What the two stores say of the periods, read apart. */
export interface Books {
  readonly periods: readonly NamedPeriod[];
  readonly agents: readonly AgentRow[];
  readonly core: readonly CoreTotalsRow[];
  readonly booked: readonly BookSums[];
  readonly gaps: readonly GapRow[];
  readonly lost: readonly LostRow[];
  readonly runs: readonly FirstRunRow[];
  readonly waiting: readonly WaitingRow[];
  readonly missing: readonly MissingFacts[];
  readonly now: number;
}

/** Of an answer, together some 20 MB. */
const MAX_ROWS = 20_000;
const MAX_GAPS = 100_000;

const NONE: Bytes = { download: 0, upload: 0 };
/** A remainder below both means that something is counted that the core does not count (A8). */
const MISCLASSIFIED_BYTES = 1024 * 1024;
const MISCLASSIFIED_SHARE = 0.01;

/** A row of which is still to be said what explains its difference; `differs`: nothing but that speaks against it. */
interface Judged {
  row: VerifyRow;
  differs: boolean;
}

/** Rows by agent and period; periods in which an agent has neither books nor gaps nor losses are left out. */
export function verifyRows(books: Books): VerifyRow[] {
  const judged = judgedRows(books);
  const missing = new MissingBooks(books.missing);
  // What is not settled yet must not take an explanation from what is.
  const settledFirst = [...judged].sort(
    (a, b) => Number(a.row.state === 'open') - Number(b.row.state === 'open'),
  );
  for (const { row, differs } of settledFirst) {
    if (row.difference === null) continue;
    const { by, rest } = missing.explain(row, row.difference);
    row.missing = by;
    if (differs && rest.download === 0 && rest.upload === 0) row.state = 'incomplete';
  }
  return judged.map(({ row }) => row);
}

function judgedRows(books: Books): Judged[] {
  const by = {
    gaps: byAgent(books.gaps),
    lost: byAgent(books.lost),
    runs: byAgent(books.runs),
    waiting: byAgent(books.waiting),
    core: byAgent(books.core),
    booked: byAgent(books.booked),
  };
  let rows = 0;
  let listed = 0;
  return books.agents.flatMap((agent) => {
    const { agentId } = agent;
    const of = <T>(rows: Map<string, T[]>): T[] => rows.get(agentId) ?? [];
    const mine = {
      ...books,
      gaps: of(by.gaps),
      lost: of(by.lost),
      runs: of(by.runs),
      waiting: of(by.waiting),
    };
    const core = new Map(of(by.core).map((row) => [row.period, row]));
    const booked = new Map(of(by.booked).map((row) => [row.period, row]));
    return books.periods.flatMap((period, index) => {
      const judged = verifyRow(mine, agent, period, core.get(index), booked.get(index));
      if (judged === null) return [];
      rows++;
      listed += judged.row.gaps.length;
      // One gap of years is in each of many periods, so that what was read says little of how much there is to answer.
      if (rows > MAX_ROWS || listed > MAX_GAPS) throw tooManyRows();
      return [judged];
    });
  });
}

function tooManyRows(): CodedError {
  return new CodedError(
    'query_too_large',
    `there are more than ${MAX_ROWS} rows, or ${MAX_GAPS} gaps in them`,
    {
      details: [
        { field: 'agent', problem: 'name one, or use group=range, or less time between "from" and "to"' },
      ],
    },
  );
}

/** Each list is gone through once, however many agents there are. */
function byAgent<T extends { agentId: string }>(rows: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(row.agentId);
    if (group === undefined) groups.set(row.agentId, [row]);
    else group.push(row);
  }
  return groups;
}

/** `books` holds this agent's gaps, losses, runs and waiting facts alone. */
function verifyRow(
  books: Books,
  agent: AgentRow,
  period: NamedPeriod,
  core: CoreTotalsRow | undefined,
  booked: BookSums | undefined,
): Judged | null {
  const gaps = books.gaps.filter((gap) => gap.from < period.to && gap.to > period.from);
  // A loss is told once, where it ended, so that rows add up.
  const lost = books.lost.filter((loss) => loss.to >= period.from && loss.to < period.to);
  if (core === undefined && booked === undefined && gaps.length === 0 && lost.length === 0) return null;

  const unmeasured =
    core === undefined ? NONE : { download: core.unmeasuredDownload, upload: core.unmeasuredUpload };
  const attributed = booked?.attributed ?? NONE;
  const unattributed = booked?.unattributed ?? NONE;
  const totals: Bytes | null = isMeasured(agent, period, core) ? pick(core ?? NONE) : null;
  const sides = totals && ([sum(totals, unmeasured), sum(attributed, unattributed)] as const);
  const state = stateOf(totals, sides, unattributed, isOpen(books, agent, period));
  const row: VerifyRow = {
    agent_id: agent.agentId,
    day: period.name,
    from: formatTime(period.from),
    to: formatTime(period.to),
    core: totals,
    attributed: pick(attributed),
    recovered: pick(booked?.recovered ?? NONE),
    unattributed: pick(unattributed),
    unmeasured,
    difference: sides && less(...sides),
    missing: [],
    lost: lost.map(pick).reduce(sum, NONE),
    coverage: coverageOf(watched(books, agent, period), gaps),
    gaps: gaps.map((gap) => ({ from: formatTime(gap.from), to: formatTime(gap.to), reason: gap.reason })),
    state: state === 'differs' ? 'unbalanced' : state,
  };
  return { row, differs: state === 'differs' };
}

/**
 * Whether the core's totals can vouch for a period: not where none came while bytes did (the original's wire), nor
 * where several sources took turns. What one record under a wrong name can spoil is the time of the conflict alone.
 */
function isMeasured(agent: AgentRow, period: NamedPeriod, core: CoreTotalsRow | undefined): boolean {
  if (!agent.measured) return false;
  const { conflict } = agent;
  if (conflict !== null && conflict.since < period.to && conflict.at >= period.from) return false;
  if (core === undefined) return true;
  const unmeasured = core.unmeasuredDownload !== 0 || core.unmeasuredUpload !== 0;
  return core.download !== 0 || core.upload !== 0 || !unmeasured;
}

/** The part of a period from the agent's first snapshot to the newest that arrived. */
function watched(books: Books, agent: AgentRow, period: NamedPeriod): { from: number; to: number } {
  const begun = books.runs.reduce((least, run) => Math.min(least, run.from), agent.firstSeen);
  const newest = Math.max(agent.bookedTo + MINUTE_MS, agent.lastSnapshot);
  return { from: Math.max(period.from, begun), to: Math.min(period.to, newest) };
}

/** More may still come for it: it is not over, not delivered up to its end, or not wholly in the fact store. */
function isOpen({ waiting, now }: Books, agent: AgentRow, period: NamedPeriod): boolean {
  const pending = waiting.some((row) => row.from < period.to && row.to > period.from);
  if (pending) return true;
  return period.to > now || deliveredTo(agent) < period.to;
}

function stateOf(
  core: Bytes | null,
  sides: readonly [counted: Bytes, booked: Bytes] | null,
  unattributed: Bytes,
  open: boolean,
): BookState | 'differs' {
  if (core === null || sides === null) return 'not measured';
  const [counted, booked] = sides;
  const misclassified = (['download', 'upload'] as const).some(
    (way) => unattributed[way] < -MISCLASSIFIED_BYTES && unattributed[way] < -MISCLASSIFIED_SHARE * core[way],
  );
  if (misclassified) return 'unbalanced';
  if (open) return 'open';
  // Two sides that were cut are equal, and prove nothing.
  if (isCut(sides)) return 'unbalanced';
  return counted.download === booked.download && counted.upload === booked.upload ? 'balanced' : 'differs';
}

function pick({ download, upload }: Bytes): Bytes {
  return { download, upload };
}

function sum(a: Bytes, b: Bytes): Bytes {
  return { download: plus(a.download, b.download), upload: plus(a.upload, b.upload) };
}

function less(a: Bytes, b: Bytes): Bytes {
  return { download: plus(a.download, -b.download), upload: plus(a.upload, -b.upload) };
}
