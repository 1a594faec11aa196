import type { Fault } from './schedule.ts';

/** Schedules that once found something, always run first. */
export interface NamedSeed {
  seed: number;
  faults?: readonly Fault[];
  found: string;
}

export const SEEDS: readonly NamedSeed[] = [];
