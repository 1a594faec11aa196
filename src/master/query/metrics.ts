/** Values of a point of a series. `connections` does not add up over points, `opened` does; `recovered` is a part of `total`. */
export const METRICS = ['connections', 'download', 'upload', 'total', 'opened', 'recovered'] as const;
export type Metric = (typeof METRICS)[number];

export const SORT_KEYS = ['count', 'download', 'upload', 'total'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export const SORT_ORDERS = ['asc', 'desc'] as const;
export type SortOrder = (typeof SORT_ORDERS)[number];
