import { byteSize } from '../../common/byte-size.ts';
import type { Bytes } from '../../domain/connection.ts';
import type { ExplainedBy, MissingLots } from '../../master/http/verify-missing.ts';
import type { BookState, VerifyRow } from '../../master/http/verify-rows.ts';
import type { Answered } from '../api-answer.ts';
import type { ValuesOf } from '../config/values.ts';
import type { Task } from '../program.ts';

import { localZone } from './bounds.ts';
import { type Printable, questionTask } from './question-task.ts';
import type { SheetColumn, SheetRow } from './sheet.ts';
import { timeIn } from './traffic-notes.ts';

/** Something does not balance, or is missing: what a script that looks after the books waits for. */
const UNBALANCED = 3;
const GAPS_LISTED = 10;

interface VerifyMeta {
  readonly missing: readonly MissingLots[];
}

/** `verify`: the books of each agent and period, from the two stores that are written apart. */
export function verifyTask(values: ValuesOf<'verify'>): Task {
  const zone = values.tz ?? localZone();
  return questionTask<VerifyRow[], VerifyMeta>(
    values,
    async () => ({
      path: `/verify?${parametersOf(values, zone)}`,
      body: null,
      filter: undefined,
      nameOf: (field) => `--${field}`,
    }),
    (answer) => printableOf(answer, zone, values.agent[0]),
  );
}

function parametersOf({ group, range, from, to, agent }: ValuesOf<'verify'>, tz: string): string {
  const given = { group, range, from, to, tz, agent: agent[0] };
  const said = Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return new URLSearchParams(said).toString();
}

const COLUMNS: readonly SheetColumn[] = [
  { head: 'AGENT', cuts: true },
  { head: 'PERIOD' },
  { head: 'CORE', right: true, spare: true },
  { head: 'ATTRIBUTED', right: true },
  { head: 'UNATTRIBUTED', right: true },
  { head: 'UNMEASURED', right: true, spare: true },
  { head: 'DIFFERENCE', right: true },
  { head: 'COVERAGE', right: true, spare: true },
  { head: 'GAPS', right: true },
  { head: 'STATE' },
];

const TONES: Readonly<Record<BookState, NonNullable<SheetRow['tone']> | undefined>> = {
  balanced: 'good',
  open: undefined,
  incomplete: 'bad',
  unbalanced: 'bad',
  'not measured': 'doubtful',
};

function printableOf(
  { data: rows, meta }: Answered<VerifyRow[], VerifyMeta>,
  zone: string,
  agent: string | undefined,
): Printable {
  return {
    sheet: {
      columns: COLUMNS,
      rows: rows.map((row) => sheetRow(row, zone)),
      notes: [...notesOf(rows, zone, agent), ...missingNotes(rows, meta, zone)],
    },
    csv: csvOf(rows),
    code: rows.some(({ state }) => state === 'unbalanced' || state === 'incomplete') ? UNBALANCED : 0,
  };
}

function sheetRow(row: VerifyRow, zone: string): SheetRow {
  const { agent_id, core, attributed, unattributed, unmeasured, difference, coverage, gaps, state } = row;
  const tone = TONES[state];
  return {
    cells: [
      agent_id,
      periodName(row, zone),
      size(core),
      size(attributed),
      size(unattributed),
      size(unmeasured),
      // Both ways apart: what is missing in the one may be too much in the other.
      difference === null ? '' : differenceOf(difference),
      coverage === null ? '' : coverageOf(coverage),
      gaps.length === 0 ? '' : String(gaps.length),
      state,
    ],
    ...(tone !== undefined && { tone }),
  };
}

function periodName({ day, from, to }: VerifyRow, zone: string): string {
  return day ?? `${timeIn(zone, Date.parse(from))} to ${timeIn(zone, Date.parse(to))}`;
}

function size(bytes: Bytes | null): string {
  return bytes === null ? '' : byteSize(bytes.download + bytes.upload);
}

/** Never rounded up: what has a gap is not wholly covered. */
function coverageOf(coverage: number): string {
  return `${(Math.floor(coverage * 10_000) / 100).toFixed(2)} %`;
}

function differenceOf({ download, upload }: Bytes): string {
  return download === 0 && upload === 0 ? '0 B' : bothOf({ download, upload });
}

function notesOf(rows: readonly VerifyRow[], zone: string, agent: string | undefined): string[] {
  if (rows.length === 0)
    return [`there are no books${agent === undefined ? '' : ` of ${agent}`} in that time`];
  const counts = Map.groupBy(rows, ({ state }) => state);
  const states = [...counts].map(([state, of]) => `${of.length} ${state}`).join(', ');
  const gaps = rows.flatMap(({ agent_id, gaps }) => gaps.map((gap) => ({ agent_id, ...gap })));
  const listed = gaps.slice(-GAPS_LISTED).map(({ agent_id, from, to, reason }) => {
    return `  ${agent_id}: ${timeIn(zone, Date.parse(from))} to ${timeIn(zone, Date.parse(to))}, ${reason}`;
  });
  return [
    `${states}; days of ${zone}; difference = core + unmeasured − attributed − unattributed`,
    ...(listed.length === 0 ? [] : [`gaps without snapshots${newestOf(listed, gaps)}:`, ...listed]),
  ];
}

/** Lots that the facts lack, and which differences they explain. */
function missingNotes(rows: readonly VerifyRow[], { missing }: VerifyMeta, zone: string): string[] {
  if (missing.length === 0) return [];
  const lots = missing.slice(-GAPS_LISTED).map((one) => {
    const interval = `${timeIn(zone, Date.parse(one.from))} to ${timeIn(zone, Date.parse(one.to))}`;
    return `  ${lotsOf(one)}: ${interval}, ${bothOf(one)}, ${one.reason}`;
  });
  const explained = rows.filter((row) => row.missing.length > 0);
  const listed = explained.slice(-GAPS_LISTED).map((row) => {
    const by = row.missing.map((one) => `${bothOf(one)} by ${lotsOf(one)}`).join(', ');
    return `  ${row.agent_id} ${periodName(row, zone)}: ${by}`;
  });
  return [
    `facts that are missing${newestOf(lots, missing)}; put back a facts file that has them:`,
    ...lots,
    ...(listed.length === 0 ? [] : [`what they explain${newestOf(listed, explained)}:`, ...listed]),
  ];
}

function newestOf(listed: readonly unknown[], all: readonly unknown[]): string {
  return all.length > listed.length ? `, the newest ${listed.length} of ${all.length}` : '';
}

function lotsOf({ first_lot, last_lot }: ExplainedBy): string {
  return first_lot === last_lot ? `lot ${first_lot}` : `lots ${first_lot}–${last_lot}`;
}

function bothOf({ download, upload }: Bytes): string {
  return `↓ ${byteSize(download)} ↑ ${byteSize(upload)}`;
}

const SUMS = ['core', 'attributed', 'recovered', 'unattributed', 'unmeasured', 'difference', 'lost'] as const;

/** Lots that explain a part of the difference, such as `3-9 12-12`, and the bytes of it. */
const EXPLAINED = ['missing_lots', 'missing_download', 'missing_upload'] as const;

function csvOf(rows: readonly VerifyRow[]): (string | number | null)[][] {
  const sums = SUMS.flatMap((name) => [`${name}_download`, `${name}_upload`]);
  return [
    ['agent_id', 'day', 'from', 'to', ...sums, ...EXPLAINED, 'coverage', 'gaps', 'state'],
    ...rows.map((row) => [
      row.agent_id,
      row.day,
      row.from,
      row.to,
      ...SUMS.flatMap((name) => [row[name]?.download ?? null, row[name]?.upload ?? null]),
      row.missing.map((one) => `${one.first_lot}-${one.last_lot}`).join(' '),
      row.missing.reduce((sum, { download }) => sum + download, 0),
      row.missing.reduce((sum, { upload }) => sum + upload, 0),
      row.coverage,
      row.gaps.length,
      row.state,
    ]),
  ];
}
