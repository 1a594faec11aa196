import type { SqlRow } from '../store/store.ts';
import type { Metric } from './metrics.ts';
import { toNumber } from './sums.ts';
import type { TrafficSeries, TrafficTotals } from './traffic-answer.ts';

/** How the columns of a row become numbers that an answer holds. */
export interface Reading {
  readonly metrics: readonly Metric[];
  /** Connections are not known: `opened` is told all the same. */
  readonly countless: boolean;
}

/** Sums of the present (`''`), or of the period compared with (`p`). */
export function totalsOfRow(row: SqlRow, reading: Reading, prefix: '' | 'p' = ''): TrafficTotals {
  const sum = (name: string) => toNumber(row[prefix + name]);
  const [download, upload] = [sum('d'), sum('u')];
  return {
    download,
    upload,
    total: toNumber(download + upload),
    ...(reading.metrics.includes('connections') && { connections: reading.countless ? null : sum('n') }),
    ...(reading.metrics.includes('opened') && { opened: sum('o') }),
    ...(reading.metrics.includes('recovered') && { recovered: sum('r') }),
  };
}

/** Sums of nothing. */
export function noTotals(reading: Reading): TrafficTotals {
  return totalsOfRow({}, reading);
}

/** Both together, field by field; a count that one of them does not have is that of the other. */
export function addTotals(a: TrafficTotals, b: TrafficTotals): TrafficTotals {
  return combine(a, b, (x, y) => toNumber(x + y));
}

/** What is left of a whole; never below 0, which a whole that was cut could give. */
export function subtractTotals(whole: TrafficTotals, part: TrafficTotals): TrafficTotals {
  return combine(whole, part, (x, y) => Math.max(0, x - y));
}

function combine(a: TrafficTotals, b: TrafficTotals, join: (x: number, y: number) => number): TrafficTotals {
  const result = { ...a };
  for (const name of Object.keys(a) as (keyof TrafficTotals)[]) {
    const [x, y] = [a[name], b[name]];
    if (typeof x === 'number' && typeof y === 'number') result[name] = join(x, y);
  }
  return result;
}

/** Totals by point as one list for each metric; `empty` tells points of which nothing is known. */
export function seriesOfTotals(
  totals: readonly TrafficTotals[],
  metrics: readonly Metric[],
  empty: readonly boolean[],
): TrafficSeries {
  const series: TrafficSeries = {};
  for (const metric of metrics) {
    series[metric] = totals.map((one, index) => (empty[index] ? null : (one[metric] ?? null)));
  }
  return series;
}
