import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import {
  EmbeddedFactStore,
  type EmbeddedOptions,
} from '../../src/master/store/embedded/embedded-fact-store.ts';
import { loadDuckDB } from '../../src/master/store/embedded/native.ts';

/**
 * A fact store, and a connection of our own into the file that it has open: what is written in bulk lies in the very
 * file, with the very settings, on which the store's own methods then work.
 */
export interface OpenStore {
  store: EmbeddedFactStore;
  connection: DuckDBConnection;
  close(): Promise<void>;
}

export async function openStore(options: EmbeddedOptions): Promise<OpenStore> {
  const duckdb = await loadDuckDB();
  let instance: DuckDBInstance | undefined;
  const remembering = {
    ...duckdb,
    DuckDBInstance: {
      create: async (...args: Parameters<typeof duckdb.DuckDBInstance.create>) => {
        instance = await duckdb.DuckDBInstance.create(...args);
        return instance;
      },
    },
  };
  const store = new EmbeddedFactStore({ ...options, load: async () => remembering as typeof duckdb });
  await store.start();
  // The last one made is the one that stays; an earlier one looks at the file read-only.
  const connection = await instance!.connect();
  return {
    store,
    connection,
    async close() {
      connection.closeSync();
      await store.stop();
    },
  };
}
