import { chmodSync, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { renameDurably } from '../../common/durable-files.ts';
import { CodedError } from '../../common/errors.ts';
import { FileLock } from '../../common/file-lock.ts';
import { bytesOf, requireSpace } from '../../common/free-space.ts';
import type { LongTask } from '../../common/progress.ts';
import { systemError } from '../../common/system-error.ts';
import { RECORDS_FILE } from '../ingest/schema.ts';
import { watchGrowth } from './growth.ts';
import { partOf, removeParts, removeTree } from './names.ts';
import { compactRecords, RECORDS_ENDINGS } from './records-files.ts';
import { finishRestore, refuseLinks, type Side, type StorePaths } from './restore.ts';

export interface Compacted {
  side: Side;
  /** Bytes of the file. */
  before: number;
  after: number;
  /** Entries of dictionaries that nothing used, by dictionary. */
  dropped: Record<string, number>;
}

/**
 * Writes the stores of a master that does not run anew, without the space that deleted rows have left: each into a file
 * beside it, which is read back and compared, and then takes its place in one rename. Whatever ends the work leaves
 * each store as it was, or smaller.
 *
 * Throws `file_missing` where there is none of them, `file_in_use` while a master runs, `disk_full`, and what reading the files throws.
 */
export async function compactStores(
  paths: StorePaths,
  sides: readonly Side[],
  task: LongTask,
): Promise<Compacted[]> {
  refuseLinks(paths);
  const lock = FileLock.take(paths.records, RECORDS_FILE.kind);
  try {
    finishRestore(paths);
    const there = sides.filter((side) => existsSync(paths[side]));
    if (there.length === 0) {
      const missing = sides.map((side) => paths[side]).join(' and no ');
      throw new CodedError('file_missing', `there is nothing to compact: no ${missing}`);
    }
    const compacted: Compacted[] = [];
    for (const side of there) compacted.push(await compact(side, paths, task));
    return compacted;
  } finally {
    lock.release();
  }
}

async function compact(side: Side, paths: StorePaths, task: LongTask): Promise<Compacted> {
  const path = paths[side];
  // A new file at most as large; of facts also the copy that is made of a file before its log is joined to it.
  const size = await bytesOf(path, `${path}-wal`);
  await requireSpace(dirname(path), side === 'facts' ? size * 2 : size);
  const part = partOf(path);
  try {
    const done =
      side === 'records'
        ? await compactRecordsTo(part, path, task)
        : await paths.files.compact(path, part, task);
    task.signal.throwIfAborted();
    refuseLogs(side, paths);
    chmodSync(part, statSync(path).mode & 0o777);
    renameDurably(part, path);
    return { side, ...done };
  } catch (error) {
    throw systemError(error, `${path} cannot be compacted`);
  } finally {
    removeParts(path);
    removeTree(part);
  }
}

async function compactRecordsTo(part: string, path: string, task: LongTask) {
  const ended = watchGrowth(part, 'compacting records', await bytesOf(path), task);
  try {
    return await compactRecords(path, part, task);
  } finally {
    ended();
  }
}

/** A log belongs to one file: beside the new one it would be read as that one's. */
function refuseLogs(side: Side, { records, facts }: StorePaths): void {
  const logs =
    side === 'records' ? RECORDS_ENDINGS.slice(1).map((ending) => records + ending) : [`${facts}.wal`];
  const left = logs.find((log) => existsSync(log));
  if (left !== undefined) throw new Error(`${left} is still there: somebody has the file open`);
}
