import { afterEach, beforeEach } from 'vitest';
import { fact } from './facts.test-support.ts';
import type { Fact, FactStore } from './store.ts';

/** How the suite comes by stores of one engine; `fresh` gives an empty one, `reopen` the same again. */
export interface StoreUnderTest {
  /** A new, empty store, started. */
  fresh(): Promise<FactStore>;
  /** Stops the store and opens the same data anew. */
  reopen(store: FactStore): Promise<FactStore>;
  dispose(): Promise<void>;
}

/** A store for each test, to be called once in a suite. */
export interface CurrentStore {
  readonly store: FactStore;
  /** The same data, opened anew. */
  reopen(): Promise<FactStore>;
}

export function useStore(open: () => Promise<StoreUnderTest>): CurrentStore {
  let subject: StoreUnderTest;
  let store: FactStore;
  beforeEach(async () => {
    subject = await open();
    store = await subject.fresh();
  });
  afterEach(async () => {
    await store.stop();
    await subject.dispose();
  });
  return {
    get store() {
      return store;
    },
    async reopen() {
      store = await subject.reopen(store);
      return store;
    },
  };
}

export interface Sums {
  facts: number;
  down: number;
  up: number;
  conns: number;
}

export async function sumsOf(
  store: FactStore,
  table: 'minute' | 'minute_aside' | 'half_hour' | 'half_hour_aside',
): Promise<Sums> {
  const text = `SELECT count(*) AS facts, sum(down) AS d, sum(up) AS u, sum(conns) AS n FROM ${table}`;
  const rows = await store.read((run) => run({ text, values: [] }));
  const row = rows[0] ?? {};
  return { facts: Number(row.facts), down: Number(row.d), up: Number(row.u), conns: Number(row.n) };
}

export function* inChunks(facts: Fact[], size = 1000): Generator<Fact[]> {
  for (let at = 0; at < facts.length; at += size) yield facts.slice(at, at + size);
}

/** Facts of so many connections, of many hosts and addresses. */
export const some = (count: number, from = 1): Fact[] =>
  Array.from({ length: count }, (_, index) =>
    fact({
      conn: from + index,
      bucket: 29_000_000 + (index % 7),
      download: 10 + index,
      upload: 1,
      fields: { host: `h${index % 50}.example.com`, rule: 'Match', destination_ip: `10.0.0.${index % 200}` },
    }),
  );
