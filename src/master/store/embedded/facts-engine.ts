import { statSync } from 'node:fs';
import { CodedError } from '../../../common/errors.ts';
import type { FactsEngine } from '../rebuild.ts';
import { EmbeddedFactStore } from './embedded-fact-store.ts';
import { rebuildFile } from './rebuild-file.ts';

/** DuckDB files at rest. */
export const EMBEDDED_FACTS: FactsEngine = {
  rebuild: rebuildFile,
  async isReadable(path, { signal, report }) {
    report({ step: 'reading facts', done: 0, total: statSync(path).size });
    const store = new EmbeddedFactStore({ path });
    try {
      await store.start();
      await store.check(signal);
      return true;
    } catch (error) {
      if (error instanceof CodedError && error.code === 'file_damaged') return false;
      throw error;
    } finally {
      await store.stop();
    }
  },
};
