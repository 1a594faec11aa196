import { byteSize } from '../../common/byte-size.ts';
import type { Metric } from '../../master/query/metrics.ts';
import type {
  TrafficData,
  TrafficGroup,
  TrafficPart,
  TrafficTotals,
} from '../../master/query/traffic-answer.ts';

/** What a row of an answer stands for. */
export type RowKind = 'group' | 'other' | 'unattributed' | 'all';

/** A part of an answer under its name. */
export interface NamedPart {
  readonly kind: RowKind;
  /** One for each dimension: as shown, and as it is in the data. */
  readonly labels: readonly string[];
  readonly key: readonly string[];
  readonly part: Pick<TrafficPart, 'totals' | 'previous'> & Partial<Pick<TrafficPart, 'series'>>;
}

/** Values of a dimension that were folded, in answers by `--top-mode each`. */
const FOLDED = '(other)';
const NONE = '(none)';

/** Groups in their order, then what stands beside them, then everything together. */
export function partsOf(data: TrafficData, dimensions: number): NamedPart[] {
  const { groups, other, unattributed, summary } = data;
  const beside = (kind: RowKind, name: string, part: NamedPart['part'] | null): NamedPart[] => {
    const rest = new Array<string>(Math.max(0, dimensions - 1)).fill('');
    return part === null
      ? []
      : [{ kind, labels: [name, ...rest], key: dimensions === 0 ? [] : ['', ...rest], part }];
  };
  const folded = other?.groups === null || other === null ? 'other' : `other (${other.groups} more)`;
  return [
    ...groups.map((group) => groupPart(group, dimensions)),
    ...beside('other', folded, other),
    ...beside('unattributed', 'unattributed', unattributed),
    ...beside('all', 'all', summary),
  ];
}

function groupPart(group: TrafficGroup, dimensions: number): NamedPart {
  const labels = group.labels.map((label, index) => label ?? (group.key[index] === null ? FOLDED : NONE));
  return {
    kind: 'group',
    labels: dimensions === 0 ? ['attributed'] : labels.map((label) => (label === '' ? NONE : label)),
    key: group.key.map((value) => value ?? FOLDED),
    part: group,
  };
}

export function isCount(metric: Metric): boolean {
  return metric === 'connections' || metric === 'opened';
}

export function metricOf(totals: TrafficTotals | null, metric: Metric): number | null {
  return totals?.[metric] ?? null;
}

/** A value as a person reads it; nothing where it cannot be known. */
export function shownValue(value: number | null, metric: Metric): string {
  if (value === null) return '';
  return isCount(metric) ? value.toLocaleString('en') : byteSize(value);
}

/** `destination_ip` → `DESTINATION IP`. */
export function headOf(name: string): string {
  return name.replaceAll('_', ' ').toUpperCase();
}
