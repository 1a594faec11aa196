import { fact, lotOf } from '../../src/master/store/facts.test-support.ts';
import type { Fact, Lot } from '../../src/master/store/store.ts';

const BEGIN = 29_000_160;
const ROWS = 120;

/** Half a day from a lot to the next; every third is late by a day, so that half hours have fragments of several lots. */
export function bucketOf(lot: number): number {
  return BEGIN + (lot - (lot % 3 === 0 ? 2 : 0)) * 720;
}

/** A lot whose content follows from its number, so that anyone can check what is stored. */
export function tidyLot(number: number): { lot: Lot; facts: Fact[] } {
  const facts = Array.from({ length: ROWS }, (_, index) =>
    fact({
      conn: number * 1000 + index,
      // One in twenty is overlay, and stands aside.
      kind: index % 20 === 0 ? 1 : 0,
      bucket: bucketOf(number) + (index % 60),
      download: number * index,
      upload: 1,
      fields: { host: `h${index % 10}.example.com` },
    }),
  );
  return { lot: lotOf(number, facts), facts };
}
