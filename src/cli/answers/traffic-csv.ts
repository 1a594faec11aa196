import { METRICS, type Metric } from '../../master/query/metrics.ts';
import type { TrafficAnswer } from '../../master/query/traffic-answer.ts';
import { metricOf, type NamedPart, partsOf } from './traffic-rows.ts';

type Cell = string | number | null;

/** The metrics asked for, in that order. */
export function metricsIn({ data }: Pick<TrafficAnswer, 'data'>, asked: readonly string[]): Metric[] {
  return asked.flatMap((name) =>
    METRICS.filter((metric) => metric === name && data.summary.totals[metric] !== undefined),
  );
}

/**
 * Rows of CSV with the head first: `kind`, the dimensions, then the metrics in bytes or numbers, and those of the period
 * compared with. With points, a row for each part and point instead, its beginning in `time`, and its `state`; what was
 * before has no points, so with a comparison each part has a row for all of its time besides, with an empty `time`.
 */
export function queryCsv(
  answer: Pick<TrafficAnswer, 'data' | 'meta'>,
  by: readonly string[],
  asked: readonly string[],
): Cell[][] {
  const { data, meta } = answer;
  const metrics = metricsIn(answer, asked);
  const before = meta.previous === null ? [] : metrics;
  const head = ['kind', ...by, ...metrics, ...before.map((metric) => `previous_${metric}`)];
  const parts = partsOf(data, by.length);
  const rowOf = ({ kind, key, part }: NamedPart): Cell[] => [
    kind,
    ...key,
    ...metrics.map((metric) => metricOf(part.totals, metric)),
    ...before.map((metric) => metricOf(part.previous, metric)),
  ];
  if (meta.interval === null) return [head, ...parts.map(rowOf)];
  const rows = parts.flatMap((named) => [
    ...(named.kind === 'all' ? [] : pointRows(named, answer, metrics, before.length)),
    ...(before.length === 0 ? [] : [[null, ...rowOf(named), null]]),
  ]);
  return [['time', ...head, 'state'], ...rows];
}

function pointRows(
  { kind, key, part }: NamedPart,
  { data }: Pick<TrafficAnswer, 'data'>,
  metrics: readonly Metric[],
  blanks: number,
): Cell[][] {
  return data.buckets.map((time, index): Cell[] => [
    time,
    kind,
    ...key,
    ...metrics.map((metric) => part.series?.[metric]?.[index] ?? null),
    ...new Array<null>(blanks).fill(null),
    data.bucket_states[index] ?? '',
  ]);
}
