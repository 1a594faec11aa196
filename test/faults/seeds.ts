import type { Fault } from './schedule.ts';

/** Schedules that once found something, always run first. */
export interface NamedSeed {
  seed: number;
  faults?: readonly Fault[];
  found: string;
}

export const SEEDS: readonly NamedSeed[] = [
  {
    seed: 1027,
    found: 'a clock set right after the master had helped; closes that acknowledged a connection too early',
  },
  { seed: 1063, found: 'lost rows that retention deleted, because what they tell of is old' },
  { seed: 1138, found: 'samples of the time of the original’s wire, refused by a restored master' },
  {
    seed: 2,
    faults: ['v1-fallback', 'drop'],
    found: 'bytes of the time of the original’s wire, unattributed once more when the totals came',
  },
  {
    seed: 1_818_964_254,
    found: 'an old journal put back, taken for one that took over a file of the original’s',
  },
  { seed: 1_818_964_719, found: 'samples thinned before the master was upgraded, taken for the same' },
  { seed: 72_000_053, found: 'a clone that still spoke the original’s wire, taken for the same' },
  {
    seed: 1_841_327_045,
    found: 'the last minute sent by the original’s wire, not the one with the highest counters',
  },
  { seed: 254_705_103, found: 'a check that took the record of a stale clone for the pruned one' },
  {
    seed: 9116,
    found:
      'a connection whose row was acknowledged with a sample too old, and unknown to the master ever after',
  },
  {
    seed: 5,
    faults: ['prune', 'lose-answer', 'days-offline', 'small-batches'],
    found: 'the same with a single journal, a lost answer and no older wire',
  },
];
