import { type ConnectionFields, emptyFields } from '../../domain/connection.ts';
import type { LedgerLot, LotSource } from './lot-source.ts';
import type { Fact, Lot } from './store.ts';

/** A counted fact of one connection with the given fields; everything else is as plain as can be. */
export function fact(
  values: Partial<Omit<Fact, 'fields'>> & { fields?: Partial<ConnectionFields> | null } = {},
): Fact {
  const { fields, ...rest } = values;
  return {
    conn: 1,
    kind: 0,
    bucket: 29_000_000,
    prev: 0,
    recovered: false,
    download: 0,
    upload: 0,
    conns: 1,
    agent: 'home',
    ...rest,
    fields: fields === null ? null : { ...emptyFields('c'), ...fields },
  };
}

/** Unattributed bytes of an agent in a minute. */
export function unattributed(agent: string, bucket: number, download: number, upload = 0): Fact {
  return fact({ conn: 0, kind: 2, bucket, download, upload, conns: 0, agent, fields: null });
}

export function lotOf(number: number, facts: readonly Fact[], token = tokenOf(number)): Lot {
  const buckets = facts.map((one) => one.bucket);
  return {
    lot: number,
    token,
    rows: facts.length,
    firstBucket: facts.length > 0 ? Math.min(...buckets) : 0,
    lastBucket: facts.length > 0 ? Math.max(...buckets) : 0,
    download: facts.reduce((sum, one) => sum + one.download, 0),
    upload: facts.reduce((sum, one) => sum + one.upload, 0),
    sealedAt: number * 1000,
  };
}

export function tokenOf(number: number, lineage = 'a'): string {
  return lineage + number.toString(16).padStart(15, '0');
}

/** The records store's side in memory: lots with their rows, what is flushed, and what is still kept. */
export class MemoryLots implements LotSource {
  id = 'records-1';
  waiting: Fact[] = [];
  readonly entries: { lot: LedgerLot; facts: Fact[]; flushed: boolean }[] = [];

  add(facts: Fact[], token?: string): Lot {
    const number = (this.entries.at(-1)?.lot.lot ?? 0) + 1;
    const lot = { ...lotOf(number, facts, token ?? tokenOf(number)), kept: true };
    this.entries.push({ lot, facts, flushed: false });
    return lot;
  }

  async storeId(): Promise<string> {
    return this.id;
  }

  async lots(limit: number, below: number): Promise<LedgerLot[]> {
    const lots = this.entries.map((entry) => entry.lot).filter((lot) => lot.lot < below);
    return lots.reverse().slice(0, limit);
  }

  async seal(): Promise<number> {
    if (this.waiting.length > 0) this.add(this.waiting.splice(0));
    return this.entries.filter((entry) => !entry.flushed).reduce((sum, entry) => sum + entry.lot.rows, 0);
  }

  async sealed(): Promise<Lot[]> {
    return this.entries.filter((entry) => !entry.flushed).map((entry) => entry.lot);
  }

  async rows(lot: number, offset: number, limit: number): Promise<Fact[]> {
    return this.#entry(lot).facts.slice(offset, offset + limit);
  }

  async flushed(lot: number): Promise<void> {
    this.#entry(lot).flushed = true;
  }

  #entry(lot: number): { lot: LedgerLot; facts: Fact[]; flushed: boolean } {
    const entry = this.entries.find((one) => one.lot.lot === lot);
    if (!entry) throw new Error(`no lot ${lot}`);
    return entry;
  }
}
