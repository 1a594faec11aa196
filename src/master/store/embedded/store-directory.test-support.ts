import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { fact, lotOf } from '../facts.test-support.ts';
import { EmbeddedFactStore, type EmbeddedOptions } from './embedded-fact-store.ts';

/** A directory for each test; stores opened in it are stopped, and it is removed, when the test ends. */
export interface StoreDirectory {
  readonly directory: string;
  /** Where `open` puts its file unless told otherwise. */
  readonly path: string;
  open(options?: Partial<EmbeddedOptions>): Promise<EmbeddedFactStore>;
  /** A store with one lot of so many facts, all of different hosts. */
  filled(facts?: number): Promise<EmbeddedFactStore>;
}

/** To be called once in a test file. */
export function useStoreDirectory(): StoreDirectory {
  let directory = '';
  let stores: EmbeddedFactStore[] = [];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'facts-'));
    stores = [];
  });
  afterEach(async () => {
    for (const store of stores) await store.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const open = async (options: Partial<EmbeddedOptions> = {}) => {
    const store = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 2, ...options });
    stores.push(store);
    await store.start();
    return store;
  };
  return {
    get directory() {
      return directory;
    },
    get path() {
      return join(directory, 'f.duckdb');
    },
    open,
    async filled(facts = 3000) {
      const store = await open();
      const rows = Array.from({ length: facts }, (_, index) =>
        fact({
          conn: index + 1,
          download: index * 7919,
          fields: { host: `host-${index * 7919}.example.com` },
        }),
      );
      await store.append(lotOf(1, rows), [rows]);
      return store;
    },
  };
}
