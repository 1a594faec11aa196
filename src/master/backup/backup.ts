import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { renameDurably, syncDirectory } from '../../common/durable-files.ts';
import { CodedError } from '../../common/errors.ts';
import { FileLock } from '../../common/file-lock.ts';
import { bytesOf, requireSpace } from '../../common/free-space.ts';
import { VERSION } from '../../common/program.ts';
import type { LongTask } from '../../common/progress.ts';
import { explaining, systemError } from '../../common/system-error.ts';
import type { FactFiles, FactsSummary } from '../store/fact-files.ts';
import { watchGrowth } from './growth.ts';
import { FACTS_NAME, type Manifest, RECORDS_NAME, writeManifest } from './manifest.ts';
import { removeTree, stampOf, unusedPath } from './names.ts';
import { copyRecords, inspectRecords, type RecordsSummary, tokenOfLot } from './records-files.ts';

/** The two stores of a master, in use or at rest. */
export interface BackupSource {
  records: string;
  facts: string;
  files: FactFiles;
  /** A master works with them. */
  inUse: boolean;
  /** Copies the facts as they are at one moment; `covered` as in `SnapshotSource`. */
  copyFacts(target: string, signal: AbortSignal): Promise<{ covered: boolean }>;
}

export interface Backup {
  /** The directory that was made. */
  path: string;
  bytes: number;
  manifest: Manifest;
  /** The records need not keep facts up to this lot for the facts file any longer; 0 where they must keep all. */
  covered: number;
}

const PART = '.part';

/**
 * Makes a backup: a directory in `directory` that holds a copy of each store and says what is in them. It has its name
 * only when both copies were read back; whatever ends the work before leaves nothing.
 *
 * Facts are copied first, so that the records know every lot of the copy; the facts of lots that came between are in the
 * records still, and are written into the facts again when both are restored.
 *
 * Throws `file_in_use` while another backup is made there, `disk_full`, `backup_invalid` when what was written is not
 * what was to be written, and what reading the stores throws.
 */
export async function makeBackup(
  source: BackupSource,
  directory: string,
  task: LongTask,
  now: () => number = Date.now,
): Promise<Backup> {
  explaining(`the directory of backups ${directory} cannot be made`, () =>
    mkdirSync(directory, { recursive: true, mode: 0o700 }),
  );
  const lock = FileLock.take(join(directory, 'backup'), 'directory of backups');
  try {
    removeLeftovers(directory);
    await requireSpace(directory, await bytesOf(source.records, `${source.records}-wal`, source.facts));
    const begun = now();
    const path = unusedPath(join(directory, `backup-${stampOf(begun)}`));
    const part = `${path}${PART}`;
    mkdirSync(part, { mode: 0o700 });
    try {
      const made = await fill(part, source, new Date(begun).toISOString(), task);
      task.signal.throwIfAborted();
      syncDirectory(part);
      renameDurably(part, path);
      return { path, ...made };
    } catch (error) {
      removeTree(part);
      throw systemError(error, `${path} cannot be written`);
    }
  } finally {
    lock.release();
  }
}

/** Of backups whose process died: whoever has the lock is alone here. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (/^backup-.*\.part$/.test(name)) removeTree(join(directory, name));
  }
}

async function fill(
  part: string,
  source: BackupSource,
  madeAt: string,
  task: LongTask,
): Promise<Omit<Backup, 'path'>> {
  const [records, facts] = [join(part, RECORDS_NAME), join(part, FACTS_NAME)];
  const ended = watchGrowth(facts, 'copying facts', await bytesOf(source.facts), task);
  let covered: boolean;
  try {
    ({ covered } = await source.copyFacts(facts, task.signal));
  } finally {
    ended();
  }
  await copyRecords(source.records, records, source.inUse, task);
  for (const file of [records, facts]) chmodSync(file, 0o600);
  const inFacts = await source.files.inspect(facts, task);
  const inRecords = await inspectRecords(records, task);
  await checkTogether(records, inRecords, inFacts, task);
  const manifest = {
    format: 1,
    madeAt,
    program: VERSION,
    commonLot: inFacts.newest,
    files: { [RECORDS_NAME]: inRecords, [FACTS_NAME]: inFacts },
  };
  writeManifest(part, manifest);
  return {
    bytes: inRecords.bytes + inFacts.bytes,
    manifest,
    covered: covered ? (inFacts.newest?.lot ?? 0) : 0,
  };
}

/** Whether the copies belong together: what the facts hold is known to the records, by number and token. */
async function checkTogether(
  path: string,
  records: RecordsSummary,
  facts: FactsSummary,
  task: LongTask,
): Promise<void> {
  const problems: string[] = [];
  if (facts.storeId !== null && facts.storeId !== records.storeId) {
    problems.push('the facts belong to another records database');
  } else if (facts.newest !== null) {
    const token = await tokenOfLot(path, facts.newest.lot, task);
    if (token !== facts.newest.token)
      problems.push(`the records do not know lot ${facts.newest.lot} of the facts`);
  }
  if (problems.length > 0)
    throw new CodedError('backup_invalid', `no backup was made: ${problems.join('; ')}`);
}
