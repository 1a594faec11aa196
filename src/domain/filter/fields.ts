import { DIMENSIONS, FACT_DIMENSIONS } from '../dimensions.ts';
import type { Operator } from './tree.ts';

/** How the values of a field are written and compared; each type has its operators. */
export type FilterType =
  | 'text'
  | 'host'
  | 'address'
  | 'number'
  | 'closed'
  | 'bytes'
  | 'rate'
  | 'duration'
  | 'time';

export interface FilterField {
  readonly name: string;
  readonly type: FilterType;
  /** Known of single connections only, not of facts. */
  readonly connectionsOnly?: true;
  /** All values of a closed set that never changes. */
  readonly values?: readonly string[];
}

const COMPARED = ['=', '!=', 'in', 'not in', '<', '<=', '>', '>='] as const;
const MEASURED = ['=', '!=', '<', '<=', '>', '>='] as const;
const TEXT = ['=', '!=', '~', '!~', '=~', 'in', 'not in', 'empty', 'not empty'] as const;

export const OPERATORS_OF: Readonly<Record<FilterType, readonly Operator[]>> = {
  text: TEXT,
  host: [...TEXT, 'under'],
  address: ['=', '!=', 'in', 'not in', 'under', 'empty', 'not empty'],
  number: COMPARED,
  closed: ['=', '!=', 'in', 'not in'],
  bytes: MEASURED,
  rate: MEASURED,
  duration: MEASURED,
  time: MEASURED,
};

/** Closed sets that are fixed; the others (agents, networks) are those that the data has. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  route: ['direct', 'proxied', 'reject'],
  recovered: ['true', 'false'],
};

/** What a single connection has beside the dimensions. */
const OF_CONNECTIONS: readonly FilterField[] = [
  { name: 'download', type: 'bytes', connectionsOnly: true },
  { name: 'upload', type: 'bytes', connectionsOnly: true },
  { name: 'rate', type: 'rate', connectionsOnly: true },
  { name: 'age', type: 'duration', connectionsOnly: true },
  { name: 'start', type: 'time', connectionsOnly: true },
  { name: 'source_port', type: 'number', connectionsOnly: true },
  { name: 'sniff_host', type: 'host', connectionsOnly: true },
  { name: 'dns_mode', type: 'text', connectionsOnly: true },
  { name: 'uid', type: 'number', connectionsOnly: true },
  { name: 'dscp', type: 'number', connectionsOnly: true },
  { name: 'state', type: 'closed', values: ['open', 'closed'], connectionsOnly: true },
];

/** Everything that a filter can name: the dimension table first, in its order. */
export const FILTER_FIELDS: readonly FilterField[] = [
  ...[...DIMENSIONS, ...FACT_DIMENSIONS].map(({ name, type }): FilterField => {
    const values = FIXED[name];
    return values === undefined ? { name, type } : { name, type, values };
  }),
  ...OF_CONNECTIONS,
];

const BY_NAME = new Map(FILTER_FIELDS.map((field) => [field.name, field]));

/** Fields are found whatever their case. */
export function filterField(name: string): FilterField | undefined {
  return BY_NAME.get(name.toLowerCase());
}

/** The candidate that differs in the fewest letters, if it differs in two at most. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = 3;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Letters to insert, delete or replace; longer names than any field has are simply far. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 3;
}
