import type { SqlRow } from '../store/store.ts';
import type { BytesSum, Totals } from './answers.ts';
import { toNumber } from './sums.ts';

interface Group {
  key: string;
  totals: Totals;
}

/** The rows of `groupStatement`: the first groups, and all of them together. */
export function groupsOf(rows: readonly SqlRow[]): { groups: Group[]; whole: Totals; members: number } {
  const groups = rows.filter((row) => row.whole === false);
  const whole = rows.find((row) => row.whole === true) ?? {};
  return {
    groups: groups.map((row) => ({ key: String(row.k), totals: totalsOf(row) })),
    whole: totalsOf(whole),
    members: toNumber(whole.members),
  };
}

/** What the whole holds beyond its first groups; never below 0, which a whole that was cut could give. */
export function remainder(whole: Totals, groups: readonly Group[]): Totals {
  const rest = (key: keyof Totals) =>
    Math.max(
      0,
      groups.reduce((left, { totals }) => left - totals[key], whole[key]),
    );
  return { count: rest('count'), download: rest('download'), upload: rest('upload'), total: rest('total') };
}

export function bytesOf(row: SqlRow): BytesSum {
  return { download: toNumber(row.d), upload: toNumber(row.u) };
}

export function totalsOf(row: SqlRow): Totals {
  const { download, upload } = bytesOf(row);
  return { count: toNumber(row.n), download, upload, total: toNumber(download + upload) };
}
