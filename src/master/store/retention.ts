import { MINUTE_MS } from '../../domain/bucket.ts';
import type { FactStore, TierName } from './store.ts';

const DAY = 1440;
const DAY_MS = DAY * MINUTE_MS;

/**
 * Facts are dropped and merged of lots only that were rolled up so long ago: what came late yesterday must survive a
 * restore of the records to the day before.
 */
export const SETTLED_DAYS = 7;

/** What a bound by size leaves in each tier, so that a budget too small never empties the store. */
export const KEPT_DAYS = 2;

export interface RetentionPolicy {
  /** Days that each tier is kept, 0 for ever. What the coarse one has, the fine one need not keep. */
  readonly days: Readonly<Record<TierName, number>>;
  /** Bytes that all facts may use; null for no bound. */
  readonly budget: number | null;
}

/** The newest lot whose facts may be dropped or merged by age. */
function settledLot(facts: FactStore, now: number): Promise<number> {
  return facts.watermarkAt(now - SETTLED_DAYS * DAY_MS);
}

/** The begin of the UTC day that holds an instant, as a bucket. */
function dayOf(instant: number): number {
  return Math.floor(instant / DAY_MS) * DAY;
}

/**
 * An engine may give space free by large groups of rows alone, when all of a group are gone. Where nothing came free for
 * so many rows, something else keeps their space, and dropping more would not help.
 */
const ROWS_THAT_SHOW = 250_000;

/** Rows dropped, by tier; whole days go, so that what is kept begins with one. */
export type Dropped = Record<TierName, number>;

/** Drops what is older than the policy says. */
export async function retainByAge(facts: FactStore, policy: RetentionPolicy, now: number): Promise<Dropped> {
  const dropped: Dropped = { minute: 0, half_hour: 0 };
  const lot = await settledLot(facts, now);
  for (const tier of ['minute', 'half_hour'] as const) {
    const days = policy.days[tier];
    if (days > 0) dropped[tier] = await facts.dropBefore(tier, dayOf(now - days * DAY_MS), lot);
  }
  if (dropped.minute + dropped.half_hour > 0) await facts.reclaim();
  return dropped;
}

/** `over`: the facts still use more: nothing more may go, or what went is still in use by questions. */
export type BySize = Dropped & { over: boolean };

/**
 * Drops the oldest days until the facts use no more than the budget: of minutes, or, where those have none to give, of
 * half hours, and of either all but the newest two. All lots must have been rolled up. To be repeated within the hour
 * while it is `over`: space that is not free yet must not cost half hours.
 */
export async function retainBySize(facts: FactStore, budget: number, now: number): Promise<BySize> {
  const dropped: Dropped = { minute: 0, half_hour: 0 };
  if ((await facts.usedBytes()) <= budget) return { ...dropped, over: false };
  // What was dropped before may be all that is in the way: questions that were running then keep its space.
  await facts.reclaim();
  const newest = dayOf(now) - KEPT_DAYS * DAY;
  const tier = (await endOfOldestDay(facts, 'minute')) <= newest ? 'minute' : 'half_hour';
  let used = await facts.usedBytes();
  for (let unseen = 0; used > budget && unseen < ROWS_THAT_SHOW; ) {
    const rows = await dropOldest(facts, tier, used - budget, newest);
    dropped[tier] += rows;
    if (rows === 0 || !(await facts.reclaim())) break;
    const left = await facts.usedBytes();
    unseen = left < used ? 0 : unseen + rows;
    used = left;
  }
  return { ...dropped, over: used > budget };
}

/**
 * Drops the oldest days of a tier that end by `newest`, as many as may use `bytes`, and returns the number of rows.
 * Dictionaries are in the measure of a row too, so that it never is too many.
 */
async function dropOldest(facts: FactStore, tier: TierName, bytes: number, newest: number): Promise<number> {
  const { tiers } = await facts.coverage();
  const bytesPerRow = (await facts.usedBytes()) / (tiers.minute.rows + tiers.half_hour.rows);
  let gone = 0;
  for (let day = await endOfOldestDay(facts, tier); day <= newest; day = await endOfOldestDay(facts, tier)) {
    const { watermark } = await facts.coverage();
    const rows = await facts.dropBefore(tier, day, watermark);
    gone += rows;
    // What came since the last rollup is to be dropped after the next.
    if (rows === 0 || gone * bytesPerRow >= bytes) break;
  }
  return gone;
}

async function endOfOldestDay(facts: FactStore, tier: TierName): Promise<number> {
  const { first } = (await facts.coverage()).tiers[tier];
  return first === null ? Number.POSITIVE_INFINITY : dayOf(first * MINUTE_MS) + DAY;
}

/** Merges the fragments that late facts left in the half hours of months that ended a week ago; returns rows saved. */
export async function mergeOldMonths(
  facts: FactStore,
  now: number,
  goesOn: () => boolean = () => true,
): Promise<number> {
  const lot = await settledLot(facts, now);
  const settled = new Date(now - SETTLED_DAYS * DAY_MS);
  const month = dayOf(Date.UTC(settled.getUTCFullYear(), settled.getUTCMonth(), 1));
  let saved = 0;
  for (let more = true; more && goesOn(); ) {
    const step = await facts.mergeFragments(month, lot);
    saved += step.saved;
    more = step.more;
  }
  return saved;
}
