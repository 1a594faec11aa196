import { byteSize } from '../common/byte-size.ts';
import { type Compacted, compactStores } from '../master/backup/compact.ts';
import { SIDES } from '../master/backup/restore.ts';
import { EMBEDDED_FACT_FILES } from '../master/store/embedded/fact-files.ts';
import type { ValuesOf } from './config/values.ts';
import { longTask } from './long-task.ts';
import { filesBeside } from './master-files.ts';
import type { Task } from './program.ts';

/** `compact`: gives back the space that deleted rows have left in the files of a master that does not run. */
export function compactTask(values: ValuesOf<'compact'>): Task {
  const { database, only } = values;
  const paths = { records: database, facts: filesBeside(database).facts, files: EMBEDDED_FACT_FILES };
  return longTask('the compaction', async (task) => {
    return (await compactStores(paths, only === undefined ? SIDES : [only], task)).map(saying);
  });
}

function saying({ side, before, after, dropped }: Compacted): string {
  const entries = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  const unused = entries === 0 ? '' : `, without ${entries} texts that nothing uses`;
  return `${side}: ${byteSize(before)} before, ${byteSize(after)} now${unused}`;
}
