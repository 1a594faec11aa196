import { existsSync } from 'node:fs';
import { CodedError } from '../../common/errors.ts';
import { FileLock } from '../../common/file-lock.ts';
import type { LongTask } from '../../common/progress.ts';
import { RECORDS_FILE } from '../ingest/schema.ts';
import { type Backup, makeBackup } from './backup.ts';
import { finishRestore, type StorePaths } from './restore.ts';

/**
 * Makes a backup of a master that does not run. Throws `file_in_use` while one does, `file_missing` where there is none, and
 * what `makeBackup` throws.
 */
export async function backupAtRest(paths: StorePaths, directory: string, task: LongTask): Promise<Backup> {
  const lock = FileLock.take(paths.records, RECORDS_FILE.kind);
  try {
    finishRestore(paths);
    const { records, facts, files } = paths;
    if (!existsSync(records)) {
      throw new CodedError('file_missing', `there is no records database ${records}`);
    }
    const copyFacts = async (target: string) => {
      await files.copy(facts, target, task);
      // Only a master at work says what it need not keep; this one will when it makes its next backup.
      return { covered: false };
    };
    return await makeBackup({ records, facts, files, inUse: false, copyFacts }, directory, task);
  } finally {
    lock.release();
  }
}
