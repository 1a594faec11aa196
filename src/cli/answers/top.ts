import type { Metric } from '../../master/query/metrics.ts';
import type { TrafficData, TrafficMeta } from '../../master/query/traffic-answer.ts';
import type { Answered } from '../api-answer.ts';
import type { ValuesOf } from '../config/values.ts';
import type { Task } from '../program.ts';
import { localZone } from './bounds.ts';
import { bar, drawnLine, percent } from './drawing.ts';
import { type Printable, questionTask } from './question-task.ts';
import type { SheetColumn, SheetRow } from './sheet.ts';
import { optionOfTop, topBody } from './traffic-body.ts';
import { queryCsv } from './traffic-csv.ts';
import { notesOf } from './traffic-notes.ts';
import { headOf, metricOf, type NamedPart, partsOf, shownValue } from './traffic-rows.ts';

/** `top`: who or what used most, with shares of the whole. */
export function topTask(values: ValuesOf<'top'>): Task {
  return questionTask<TrafficData, TrafficMeta>(
    values,
    async () => ({ path: '/query', body: topBody(values), filter: values.filter, nameOf: optionOfTop }),
    (answer) => printableOf(answer, values),
  );
}

/** A column: its head, and its cell of a row. */
interface Shown extends SheetColumn {
  cell(part: NamedPart): string;
}

function printableOf(answer: Answered<TrafficData, TrafficMeta>, values: ValuesOf<'top'>): Printable {
  const { by, metric, tz } = values;
  const parts = partsOf(answer.data, by.length);
  const columns = columnsOf(answer.data, parts, by, metric, answer.meta.interval !== null);
  const rows = parts.map(
    (part): SheetRow => ({
      cells: columns.map((column) => column.cell(part)),
      apart: part.kind !== 'group',
    }),
  );
  return {
    sheet: { columns, rows, notes: notesOf(answer, tz ?? localZone()) },
    csv: queryCsv(answer, by, [metric]),
  };
}

function columnsOf(
  data: TrafficData,
  parts: readonly NamedPart[],
  by: readonly string[],
  metric: Metric,
  series: boolean,
): Shown[] {
  const whole = metricOf(data.summary.totals, metric) ?? 0;
  const most = Math.max(0, ...data.groups.map(({ totals }) => metricOf(totals, metric) ?? 0));
  const value = ({ part }: NamedPart) => metricOf(part.totals, metric);
  const before = ({ part }: NamedPart) => metricOf(part.previous, metric);
  const extra: Metric[] = metric === 'total' ? ['download', 'upload'] : ['total'];
  const compared = parts.some(({ part }) => part.previous !== null);
  return [
    ...by.map((name, index) => ({
      head: headOf(name),
      cuts: true,
      cell: ({ labels }: NamedPart) => labels[index] ?? '',
    })),
    right(headOf(metric), (part) => shownValue(value(part), metric)),
    right('SHARE', (part) => {
      const own = value(part);
      return own === null || part.kind === 'all' ? '' : percent(own, whole);
    }),
    { head: '', spare: true, cell: (part) => (part.kind === 'group' ? bar(value(part) ?? 0, most) : '') },
    ...extra.map((name) => ({
      ...right(headOf(name), ({ part }) => shownValue(metricOf(part.totals, name), name)),
      spare: true,
    })),
    ...(compared
      ? [
          right('BEFORE', (part) => shownValue(before(part), metric)),
          right('CHANGE', (part) => change(value(part), before(part))),
        ]
      : []),
    ...(series ? [{ head: 'OVER TIME', cell: ({ part }: NamedPart) => lineOf(part, metric) }] : []),
  ];
}

function right(head: string, cell: Shown['cell']): Shown {
  return { head, right: true, cell };
}

function lineOf({ series }: NamedPart['part'], metric: Metric): string {
  const values = series?.[metric];
  return values === undefined ? '' : drawnLine(values);
}

/** Against the period before; what was not there then has grown by no percentage. */
function change(now: number | null, before: number | null): string {
  if (now === null || before === null) return '';
  if (before <= 0) return now > 0 ? 'new' : '';
  const share = ((now - before) / before) * 100;
  return `${share < 0 ? '−' : '+'}${Math.abs(share).toFixed(0)} %`;
}
