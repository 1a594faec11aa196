import type { TrafficAnswer, TrafficPart, TrafficTotals } from '../query/traffic-answer.ts';
import type { TrafficQuestion } from '../query/traffic-question.ts';
import type { FileColumn } from '../store/store.ts';
import type { Cell, Row, Table } from './table.ts';

/** What a row is of: `folded` where some dimension fell to all the values beyond its top ones. */
type Part = 'group' | 'folded' | 'other' | 'unattributed';

interface Line extends TrafficPart {
  readonly part: Part;
  readonly key: readonly (string | null)[];
}

/**
 * The answer to a query as rows that add up to its summary: one for each group; with a series, one for each group and
 * point.
 */
export function trafficTable(answer: TrafficAnswer, question: TrafficQuestion): Table {
  const { metrics } = question;
  const hasSeries = answer.meta.interval !== null;
  const compares = !hasSeries && question.compare !== null;
  const numbers = metrics.flatMap((name) => (compares ? [name, `previous_${name}`] : [name]));
  const columns: FileColumn[] = [
    ...(hasSeries ? [{ name: 'time', type: 'time' } as const] : []),
    { name: 'part', type: 'text' },
    ...question.groupBy.map((name): FileColumn => ({ name, type: 'text' })),
    ...numbers.map((name): FileColumn => ({ name, type: 'integer' })),
  ];
  const rowsOf = ({ part, key, totals, previous, series }: Line): Row[] => {
    const head: Cell[] = [part, ...key];
    if (hasSeries) {
      return answer.data.buckets.map((time, index) => [
        time,
        ...head,
        ...metrics.map((name) => series?.[name]?.[index] ?? null),
      ]);
    }
    const value = (of: TrafficTotals | null, name: (typeof metrics)[number]) => of?.[name] ?? null;
    const pair = (name: (typeof metrics)[number]) =>
      compares ? [value(totals, name), value(previous, name)] : [value(totals, name)];
    return [[...head, ...metrics.flatMap(pair)]];
  };
  return { columns, rows: byLine(linesOf(answer, question.groupBy.length), rowsOf) };
}

function linesOf({ data }: TrafficAnswer, dimensions: number): Line[] {
  const nowhere = new Array<null>(dimensions).fill(null);
  return [
    ...data.groups.map((group) => ({
      ...group,
      part: group.key.includes(null) ? ('folded' as const) : ('group' as const),
    })),
    ...(data.other === null ? [] : [{ ...data.other, part: 'other' as const, key: nowhere }]),
    ...(data.unattributed === null
      ? []
      : [{ ...data.unattributed, part: 'unattributed' as const, key: nowhere }]),
  ];
}

async function* byLine(lines: readonly Line[], rowsOf: (line: Line) => Row[]): AsyncGenerator<Row[]> {
  for (const line of lines) yield rowsOf(line);
}
