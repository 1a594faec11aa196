import { existsSync } from 'node:fs';
import { FileLock } from '../common/file-lock.ts';
import { importedAs } from '../master/import/file-kind.ts';
import { importRecords } from '../master/import/import-records.ts';
import { RECORDS_FILE } from '../master/ingest/schema.ts';
import { readParquet } from '../master/store/embedded/parquet-file.ts';
import type { ValuesOf } from './config/values.ts';
import type { Task } from './program.ts';

/** `import`: what it did on standard output, what it could not take on the other. */
export function importTask({ file, database }: ValuesOf<'import'>): Task {
  return {
    run: async (told) => {
      // What is refused makes no database.
      importedAs(file);
      const lock = FileLock.take(database, RECORDS_FILE.kind);
      try {
        const isNew = !existsSync(database);
        const done = await importRecords(file, database, readParquet, told);
        for (const { line, problem } of done.problems) console.error(`${file}:${line}: ${problem}`);
        const untold = done.refused - done.problems.length;
        if (untold > 0) console.error(`and ${untold} more rows`);
        const { new: added, grown, same, refused } = done;
        console.log(`${added} new, ${grown} with more bytes, ${same} known already, ${refused} refused`);
        if (isNew) console.error(`${database} is new: a master started with --database ${database} shows it`);
        if (!done.complete) console.error('interrupted: import the same file again to go on');
        return refused === 0 && done.complete ? 0 : 1;
      } finally {
        lock.release();
      }
    },
  };
}
