import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { CodedError } from '../../common/errors.ts';
import type { QueryBody } from '../../master/http/query-body.ts';
import { canonicalZone } from '../../master/http/time-zone.ts';
import type { Metric } from '../../master/query/metrics.ts';
import type { TrafficAnswer, TrafficData, TrafficMeta } from '../../master/query/traffic-answer.ts';
import type { ValuesOf } from '../config/values.ts';
import type { Task } from '../program.ts';
import type { Printable } from './question-task.ts';
import { questionTask } from './question-task.ts';
import type { Sheet, SheetColumn, SheetRow } from './sheet.ts';
import { optionOf, queryBody } from './traffic-body.ts';
import { metricsIn, queryCsv } from './traffic-csv.ts';
import { notesOf } from './traffic-notes.ts';
import { headOf, metricOf, type NamedPart, partsOf, shownValue } from './traffic-rows.ts';

const DEFAULT_METRICS: readonly Metric[] = ['download', 'upload', 'total'];

/** `query`: all that `POST /query` can be asked, by options or by a body. */
export function queryTask(values: ValuesOf<'query'>): Task {
  let body: QueryBody = {};
  return questionTask<TrafficData, TrafficMeta>(
    values,
    async () => {
      const given = values.body;
      body = given === undefined ? queryBody(values) : await bodyIn(given);
      const nameOf = given === undefined ? optionOf : (field: string) => field;
      return { path: '/query', body, filter: body.filter, nameOf };
    },
    (answer) => printableOf(answer, body),
  );
}

/** Whatever JSON object is there: what is wrong in it is for the API to say. */
async function bodyIn(path: string): Promise<QueryBody> {
  const name = path === '-' ? 'standard input' : path;
  let found: unknown;
  try {
    found = JSON.parse(path === '-' ? await text(process.stdin) : readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CodedError('body_invalid', `the query in ${name} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as QueryBody;
  throw new CodedError('body_invalid', `what is in ${name} is no JSON object`);
}

function printableOf(answer: TrafficAnswer, body: QueryBody): Printable {
  const by = body.group_by ?? [];
  const asked = body.metrics ?? DEFAULT_METRICS;
  const zone = canonicalZone(body.tz ?? 'UTC') ?? 'UTC';
  return { sheet: sheetOf(answer, by, asked, zone), csv: queryCsv(answer, by, asked) };
}

/** Totals; with points, those of each part before its totals, for counts of points do not add up to them. */
function sheetOf(
  answer: TrafficAnswer,
  by: readonly string[],
  asked: readonly string[],
  zone: string,
): Sheet {
  const { data, meta } = answer;
  const metrics = metricsIn(answer, asked);
  const before = meta.previous === null ? [] : metrics;
  const pointed = meta.interval !== null;
  const names: SheetColumn[] =
    by.length === 0 ? [{ head: '' }] : by.map((name) => ({ head: headOf(name), cuts: true }));
  const columns = [
    ...names,
    ...(pointed ? [{ head: 'TIME' }] : []),
    ...metrics.map((metric) => ({ head: headOf(metric), right: true })),
    ...before.map((metric) => ({ head: `${headOf(metric)} BEFORE`, right: true })),
    ...(pointed ? [{ head: 'STATE' }] : []),
  ];
  const rowsOf = (named: NamedPart): SheetRow[] => {
    const { kind, labels, part } = named;
    const points = pointed && part.series ? pointRows(named, data, metrics, before.length) : [];
    const totals = [
      ...metrics.map((metric) => shownValue(metricOf(part.totals, metric), metric)),
      ...before.map((metric) => shownValue(metricOf(part.previous, metric), metric)),
    ];
    const whole = { cells: [...labels, ...(pointed ? ['all'] : []), ...totals], apart: kind !== 'group' };
    return [...points, whole];
  };
  return { columns, rows: partsOf(data, by.length).flatMap(rowsOf), notes: notesOf(answer, zone) };
}

function pointRows(
  { kind, labels, part }: NamedPart,
  data: TrafficData,
  metrics: readonly Metric[],
  blanks: number,
): SheetRow[] {
  return data.buckets.map((time, index) => {
    const state = data.bucket_states[index] ?? 'ok';
    return {
      cells: [
        ...labels,
        time.slice(0, 16).replace('T', ' '),
        ...metrics.map((metric) => shownValue(part.series?.[metric]?.[index] ?? null, metric)),
        ...new Array<string>(blanks).fill(''),
        state === 'ok' ? '' : state,
      ],
      apart: kind !== 'group',
    };
  });
}
