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
 * compared with. With points, a row for each part and point instead, its beginning in `time`, and its `state`.
 */
export function queryCsv(
  answer: Pick<TrafficAnswer, 'data' | 'meta'>,
  by: readonly string[],
  asked: readonly string[],
): Cell[][] {
  const { data, meta } = answer;
  const metrics = metricsIn(answer, asked);
  const parts = partsOf(data, by.length);
  if (meta.interval !== null) {
    const points = parts
      .filter(({ kind }) => kind !== 'all')
      .flatMap((part) => pointRows(part, answer, metrics));
    return [['time', 'kind', ...by, ...metrics, 'state'], ...points];
  }
  const before = meta.previous === null ? [] : metrics;
  const head = ['kind', ...by, ...metrics, ...before.map((metric) => `previous_${metric}`)];
  const rows = parts.map(({ kind, key, part }): Cell[] => [
    kind,
    ...key,
    ...metrics.map((metric) => metricOf(part.totals, metric)),
    ...before.map((metric) => metricOf(part.previous, metric)),
  ]);
  return [head, ...rows];
}

function pointRows(
  { kind, key, part }: NamedPart,
  { data }: Pick<TrafficAnswer, 'data'>,
  metrics: Metric[],
): Cell[][] {
  return data.buckets.map((time, index): Cell[] => [
    time,
    kind,
    ...key,
    ...metrics.map((metric) => part.series?.[metric]?.[index] ?? null),
    data.bucket_states[index] ?? '',
  ]);
}
