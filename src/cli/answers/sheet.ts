import { styleText } from 'node:util';
import { visible } from '../../agent/monitor/visible.ts';
import { cutMiddle, widthOf } from '../../agent/monitor/width.ts';
import { alignedTable, type Column } from '../table.ts';

export interface SheetColumn extends Column {
  /** Names, which are cut in the middle where the terminal is too narrow for the whole. */
  readonly cuts?: boolean;
  /** Left out, the last one first, where the terminal is too narrow for all. */
  readonly spare?: boolean;
}

export interface SheetRow {
  readonly cells: readonly string[];
  /** Not one of the things asked for, but what stands beside them: shown below a line. */
  readonly apart?: boolean;
  readonly tone?: 'good' | 'bad' | 'doubtful';
}

/** An answer for a person: a table, and below it what must be known to read it right. */
export interface Sheet {
  readonly columns: readonly SheetColumn[];
  readonly rows: readonly SheetRow[];
  readonly notes: readonly string[];
}

export interface Paper {
  /** Columns of the terminal; null where there is none, so that nothing is cut. */
  readonly width: number | null;
  readonly colour: boolean;
}

type Format = Parameters<typeof styleText>[0];

const TONES: Readonly<Record<NonNullable<SheetRow['tone']>, Format>> = {
  good: 'green',
  bad: 'red',
  doubtful: 'yellow',
};
/** A name cut shorter says nothing. */
const LEAST = 8;
/** Room that names are worth more than a spare column. */
const NAMED = 24;
const BETWEEN = 2;

/** The sheet as text, without a newline at its end. */
export function renderSheet(sheet: Sheet, paper: Paper): string {
  const rows = [...sheet.rows.filter(({ apart }) => !apart), ...sheet.rows.filter(({ apart }) => apart)];
  const whole = rows.map((row) => row.cells.map(visible));
  const shown = shownColumns(sheet.columns, whole, paper.width);
  const columns = shown.flatMap((index) => sheet.columns[index] ?? []);
  const cells = fitted(
    columns,
    whole.map((row) => shown.map((index) => row[index] ?? '')),
    paper.width,
  );
  const [head = '', ...lines] = alignedTable(columns, cells);
  const paint = (format: Format, text: string) =>
    paper.colour ? styleText(format, text, { validateStream: false }) : text;
  const width = Math.max(...[head, ...lines].map(widthOf));
  const text = [paint('bold', head)];
  for (const [index, line] of lines.entries()) {
    const { apart = false, tone } = rows[index] ?? {};
    if (apart && rows[index - 1]?.apart !== true) text.push(paint('dim', '─'.repeat(width)));
    text.push(tone === undefined ? line : paint(TONES[tone], line));
  }
  const left = sheet.columns.filter((column) => !columns.includes(column) && column.head !== '');
  const without = left.map(({ head }) => head.toLowerCase()).join(', ');
  const narrow = left.length === 0 ? [] : [`the terminal is too narrow for: ${without}`];
  const notes = [...sheet.notes, ...narrow].map((note) => paint('dim', visible(note)));
  return [...text, ...(notes.length === 0 ? [] : ['', ...notes])].join('\n');
}

/** Columns for which there is room when names are as short as they may be. */
function shownColumns(
  columns: readonly SheetColumn[],
  rows: readonly string[][],
  width: number | null,
): number[] {
  const shown = [...columns.keys()];
  const least = widthsOf(columns, rows).map((wide, index) =>
    columns[index]?.cuts === true ? Math.min(wide, NAMED) : wide,
  );
  const taken = () => sum(shown.map((index) => least[index] ?? 0)) + BETWEEN * (shown.length - 1);
  while (width !== null && taken() > width) {
    const spare = shown.findLast((index) => columns[index]?.spare === true);
    if (spare === undefined) break;
    shown.splice(shown.indexOf(spare), 1);
  }
  return shown;
}

function widthsOf(columns: readonly SheetColumn[], rows: readonly string[][]): number[] {
  return columns.map(({ head }, index) =>
    Math.max(widthOf(head), ...rows.map((row) => widthOf(row[index] ?? ''))),
  );
}

/** Names cut so that lines fit, the longest first; numbers never. */
function fitted(
  columns: readonly SheetColumn[],
  rows: readonly string[][],
  width: number | null,
): string[][] {
  if (width === null) return [...rows];
  const widths = widthsOf(columns, rows);
  const cutting = [...columns.keys()].filter((index) => columns[index]?.cuts === true);
  const room = width - BETWEEN * (columns.length - 1);
  const least = (index: number) => Math.max(LEAST, widthOf(columns[index]?.head ?? ''));
  for (let over = sum(widths) - room; over > 0; over--) {
    const wide = cutting.filter((index) => (widths[index] ?? 0) > least(index));
    const widest = wide.sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0];
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return rows.map((row) =>
    row.map((cell, index) => (cutting.includes(index) ? cutMiddle(cell, widths[index] ?? 0) : cell)),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
