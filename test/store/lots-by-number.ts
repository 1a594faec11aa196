import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { emptyFields } from '../../src/domain/connection.ts';
import type { LedgerLot, LotSource } from '../../src/master/store/lot-source.ts';
import type { Fact, Lot } from '../../src/master/store/store.ts';

/** Rows of a lot: their number and content follow from the lot's, so that anyone can check what is stored. */
export function factsOf(lot: number): Fact[] {
  const count = 1 + ((lot * 7919) % 400);
  return Array.from({ length: count }, (_, index) => ({
    conn: lot * 1000 + index,
    kind: 0 as const,
    bucket: 29_000_000 + lot,
    prev: 0,
    recovered: false,
    download: lot * index,
    upload: 1,
    conns: 1 as const,
    agent: 'home',
    fields: { ...emptyFields('c'), host: `h${(lot * 31 + index) % 5000}.example.com` },
  }));
}

export function lotByNumber(lot: number): Lot {
  const facts = factsOf(lot);
  return {
    lot,
    token: (lot * 2_654_435_761).toString(16).padStart(16, '0'),
    rows: facts.length,
    firstBucket: 29_000_000 + lot,
    lastBucket: 29_000_000 + lot,
    download: facts.reduce((sum, fact) => sum + fact.download, 0),
    upload: facts.length,
    sealedAt: 0,
  };
}

/** An endless row of lots; which were confirmed is remembered in a file, as the records store would. */
export class LotsByNumber implements LotSource {
  readonly #path: string;
  #confirmed: number;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#confirmed = Number(readFileSync(path, 'utf8'));
    } catch {
      this.#confirmed = 0;
    }
  }

  async storeId(): Promise<string> {
    return 'endless';
  }

  async lots(limit: number, below: number): Promise<LedgerLot[]> {
    const newest = Math.min(this.#confirmed + 3, below - 1);
    const count = Math.max(0, Math.min(limit, newest));
    return Array.from({ length: count }, (_, index) => ({ ...lotByNumber(newest - index), kept: true }));
  }

  async seal(): Promise<number> {
    return 1;
  }

  async sealed(): Promise<Lot[]> {
    return [1, 2, 3].map((step) => lotByNumber(this.#confirmed + step));
  }

  async rows(lot: number, offset: number, limit: number): Promise<Fact[]> {
    return factsOf(lot).slice(offset, offset + limit);
  }

  async flushed(lot: number): Promise<void> {
    this.#confirmed = lot;
    writeFileSync(`${this.#path}.new`, String(lot));
    renameSync(`${this.#path}.new`, this.#path);
  }
}
