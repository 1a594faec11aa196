import { byteSize } from '../common/byte-size.ts';
import { restoreBackup, SIDES } from '../master/backup/restore.ts';
import { EMBEDDED_FACT_FILES } from '../master/store/embedded/fact-files.ts';
import type { ValuesOf } from './config/values.ts';
import { longTask } from './long-task.ts';
import { filesBeside } from './master-files.ts';
import type { Task } from './program.ts';

/** `restore`: puts the stores of a backup in the place of those of a master that does not run. */
export function restoreTask(values: ValuesOf<'restore'>): Task {
  const { database, backup, only } = values;
  const paths = { records: database, facts: filesBeside(database).facts, files: EMBEDDED_FACT_FILES };
  return longTask('the restore', async (task) => {
    const sides = only === undefined ? SIDES : [only];
    const { manifest, paths: restored, keptAs } = await restoreBackup(backup, paths, sides, task);
    const size = sides.reduce((sum, side) => {
      const { files } = manifest;
      return sum + (side === 'records' ? files['records.db'] : files['facts.duckdb']).bytes;
    }, 0);
    return [
      `restored ${restored.join(' and ')} (${byteSize(size)}) as of ${manifest.madeAt}`,
      ...(keptAs.length === 0
        ? []
        : ['what was there is kept, until you remove it, as', ...keptAs.map((path) => `  ${path}`)]),
      'Start the master: it makes both stores agree, and agents send again what they still have.',
    ];
  });
}
