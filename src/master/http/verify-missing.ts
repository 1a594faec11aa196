import { MINUTE_MS } from '../../domain/bucket.ts';
import type { Bytes } from '../../domain/connection.ts';
import { formatTime } from '../../domain/time.ts';
import type { MissingFacts } from '../store/store.ts';
import type { VerifyRow } from './verify-rows.ts';

/** Lots of which the fact store has no facts, as `/verify` names them; bytes of all agents together. */
export interface MissingLots extends Bytes {
  reason: MissingFacts['reason'];
  first_lot: number;
  last_lot: number;
  from: string;
  to: string;
}

/** How much of a difference the facts of some lots can be. */
export type ExplainedBy = Omit<MissingLots, 'from' | 'to'>;

export function namedLots(one: MissingFacts): MissingLots {
  const { reason, firstLot, lastLot, from, to, download, upload } = one;
  return {
    reason,
    first_lot: firstLot,
    last_lot: lastLot,
    from: formatTime(from * MINUTE_MS),
    to: formatTime(to * MINUTE_MS),
    download,
    upload,
  };
}

const WAYS = ['download', 'upload'] as const;

/**
 * Sets differences down to missing lots, as far as these go: all rows of an answer together never get more from a lot than
 * it had, in either direction. Whose bytes a lot had is not known any more, so a row takes from every lot that has some
 * left and touches its time.
 *
 * Too much in the facts is never explained by what they lack. Only facts that were made of records lie in other half hours
 * than the bytes did, so where such a rebuilding touches, nothing else can be told from the difference of a period.
 */
export class MissingBooks {
  readonly #left: (MissingFacts & Bytes)[];

  constructor(missing: readonly MissingFacts[]) {
    const exactFirst = [...missing].sort(
      (a, b) => Number(a.reason === 'rebuilt') - Number(b.reason === 'rebuilt'),
    );
    this.#left = exactFirst.map((one) => ({ ...one }));
  }

  /** What explains a difference of the period, and the difference that remains. */
  explain(row: Pick<VerifyRow, 'from' | 'to'>, difference: Bytes): { by: ExplainedBy[]; rest: Bytes } {
    const [from, to] = [Date.parse(row.from), Date.parse(row.to)];
    const rest = { ...difference };
    const by: ExplainedBy[] = [];
    for (const lots of this.#left) {
      if (lots.from * MINUTE_MS >= to || lots.to * MINUTE_MS <= from) continue;
      const taken = { download: 0, upload: 0 };
      for (const way of WAYS) {
        taken[way] = lots.reason === 'rebuilt' ? rest[way] : Math.max(0, Math.min(rest[way], lots[way]));
        rest[way] -= taken[way];
        lots[way] -= lots.reason === 'rebuilt' ? 0 : taken[way];
      }
      if (taken.download === 0 && taken.upload === 0) continue;
      by.push({ reason: lots.reason, first_lot: lots.firstLot, last_lot: lots.lastLot, ...taken });
    }
    return { by, rest };
  }
}
