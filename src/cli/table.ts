import { visible } from '../agent/monitor/visible.ts';
import { padEnd, widthOf } from '../agent/monitor/width.ts';

/** A column of a table on a terminal. */
export interface Column {
  readonly head: string;
  /** Numbers stand at the right edge of their column. */
  readonly right?: boolean;
}

/**
 * Lines of a table with aligned columns, the head first. Cells are names from the network, too: whatever is in them
 * stays in its line and sends no controls.
 */
export function alignedTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const cells = [columns.map(({ head }) => head), ...rows.map((row) => row.map(visible))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => widthOf(row[index] ?? ''))));
  return cells.map((row) =>
    columns
      .map(({ right }, index) => aligned(row[index] ?? '', widths[index] ?? 0, right === true))
      .join('  ')
      .trimEnd(),
  );
}

function aligned(text: string, columns: number, right: boolean): string {
  return right ? ' '.repeat(Math.max(0, columns - widthOf(text))) + text : padEnd(text, columns);
}
