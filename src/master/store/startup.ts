import type { LedgerLot, LotLedger } from './lot-source.ts';
import { type FactStore, type Lot, MAX_CHUNK, type StoredLot } from './store.ts';

/**
 * What must happen before the first flush, from the lots on both sides.
 *
 * - `common`: the newest lot whose number and token both sides know, 0 when there is none.
 * - `cut`: the fact store has lots above it: the records store was restored, or the two are of different
 *   lineages. Agents send that data again and its numbers will be used twice, so it goes first.
 * - `gaps`: lots that the fact store lacks and whose rows are no longer kept: missing for good.
 * - `flush`: the lots after them, oldest first, to be (re-)appended. One among them that is not kept is a gap too,
 *   recorded in its turn: a lot recorded before an older one would make that one look known.
 */
export interface StartPlan {
  common: number;
  cut: boolean;
  gaps: Lot[];
  flush: LedgerLot[];
}

/** Both lists newest first. Everything below the newest common lot is of no interest and may be left out. */
export function planStart(records: readonly LedgerLot[], facts: readonly StoredLot[]): StartPlan {
  const tokens = new Map(records.map((lot) => [lot.lot, lot.token]));
  const common = facts.find((lot) => tokens.get(lot.lot) === lot.token)?.lot ?? 0;
  const missing = records.filter((lot) => lot.lot > common).reverse();
  const firstKept = missing.findIndex((lot) => lot.kept);
  const gaps = firstKept === -1 ? missing.length : firstKept;
  return {
    common,
    cut: facts.some((lot) => lot.lot > common),
    gaps: missing.slice(0, gaps),
    flush: missing.slice(gaps),
  };
}

/** Lots of both sides, newest first, down to the newest common one: in a normal start one page of each. */
async function readDownToCommon(
  ledger: LotLedger,
  facts: FactStore,
  page: number,
): Promise<{ records: LedgerLot[]; stored: StoredLot[] }> {
  const records: LedgerLot[] = [];
  const stored: StoredLot[] = [];
  const tokens = new Map<number, string>();
  let below = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const fromRecords = await ledger.lots(page, below);
    // The other side is read down to the same number, so that no page of one lacks its partner on the other.
    const floor = fromRecords.length === page ? (fromRecords.at(-1)?.lot ?? 0) : 0;
    for (const lot of fromRecords) tokens.set(lot.lot, lot.token);
    records.push(...fromRecords);
    for (;;) {
      const fromFacts = await facts.lots(page, stored.at(-1)?.lot);
      stored.push(...fromFacts);
      if (fromFacts.some((lot) => tokens.get(lot.lot) === lot.token)) return { records, stored };
      if (fromFacts.length < page || (fromFacts.at(-1)?.lot ?? 0) <= floor) break;
    }
    if (fromRecords.length < page) return { records, stored };
    below = floor;
  }
}

/**
 * Makes the fact store a prefix of what the records store knows, and returns what is left to do: the lots to be
 * flushed. Safe to be killed at any point and run again: each step leaves a state that the next start continues.
 */
export async function alignFacts(ledger: LotLedger, facts: FactStore, page = 1000): Promise<AlignedStart> {
  await facts.adopt(await ledger.storeId());
  const { records, stored } = await readDownToCommon(ledger, facts, page);
  const plan = planStart(records, stored);
  const cut = plan.cut ? await facts.cutAbove(plan.common) : null;
  // Oldest first, so that what is recorded is always without holes, wherever the process dies.
  for (let at = 0; at < plan.gaps.length; at += MAX_CHUNK) {
    await facts.recordGap(plan.gaps.slice(at, at + MAX_CHUNK));
  }
  return { ...plan, removed: cut?.removed ?? 0, exact: cut?.exact ?? true };
}

export interface AlignedStart extends StartPlan {
  /** Facts removed by the cut. */
  removed: number;
  /** False when the cut could not restore what the remaining lots were (`FactStore.cutAbove`). */
  exact: boolean;
}
