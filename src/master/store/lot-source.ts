import type { Fact, Lot } from './store.ts';

/** A lot as the records store remembers it, for good; `kept`: its rows are still there, flushed or not. */
export interface LedgerLot extends Lot {
  kept: boolean;
}

/** What the records store knows of all lots it ever sealed. */
export interface LotLedger {
  /** Identity of the records store, by which a fact store of another one is refused. */
  storeId(): Promise<string>;
  /** Lots numbered below `below`, newest first, at most `limit`. */
  lots(limit: number, below: number): Promise<LedgerLot[]>;
}

/** Where sealed lots come from: the records store's side of the flush. */
export interface LotSource extends LotLedger {
  /**
   * Seals everything that waits into lots of at most 10,000 rows. Returns the number of rows that are now in
   * sealed lots and not yet flushed.
   */
  seal(): Promise<number>;
  /** Sealed lots not yet flushed, oldest first; may be the oldest few of many. */
  sealed(): Promise<Lot[]>;
  /** Rows of a kept lot in their order; fewer than `limit` (at most 1,000) only at its end. */
  rows(lot: number, offset: number, limit: number): Promise<Fact[]>;
  /** The lot is in the fact store. Idempotent. */
  flushed(lot: number): Promise<void>;
}
