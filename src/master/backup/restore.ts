import { existsSync, lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { copyWhole, digestOf } from '../../common/durable-files.ts';
import { CodedError } from '../../common/errors.ts';
import { FileLock } from '../../common/file-lock.ts';
import { finishSwap, type Move, swapFiles } from '../../common/file-swap.ts';
import { requireSpace } from '../../common/free-space.ts';
import type { LongTask } from '../../common/progress.ts';
import { systemError } from '../../common/system-error.ts';
import { RECORDS_FILE } from '../ingest/schema.ts';
import type { FactFiles } from '../store/fact-files.ts';
import { FACTS_NAME, type Manifest, RECORDS_NAME, readManifest } from './manifest.ts';
import { partOf, removeParts, removeTree, stampOf, unusedPath } from './names.ts';
import { inspectRecords, RECORDS_ENDINGS, storeIdOf } from './records-files.ts';

/** The files of a master at rest, in one directory. */
export interface StorePaths {
  records: string;
  facts: string;
  files: FactFiles;
}

export type Side = 'records' | 'facts';
export const SIDES: readonly Side[] = ['records', 'facts'];

export interface Restored {
  manifest: Manifest;
  /** What stands at its place now. */
  paths: string[];
  /** Where what was there before has been put. */
  keptAs: string[];
}

/** What a restore is about to do, written beside the database: whoever comes next does the rest. */
function planOf(records: string): string {
  return `${records}.restore`;
}

/**
 * Ends a restore, or removes what work on the two files has left, when its process died; to be called with the lock on
 * the database, before anything is opened. Returns the names that were put in their place, null where all was in order.
 */
export function finishRestore({ records, facts }: Pick<StorePaths, 'records' | 'facts'>): string[] | null {
  const moves = finishSwap(planOf(records));
  removeParts(records);
  removeParts(facts);
  return moves?.map(({ to }) => to) ?? null;
}

/**
 * Puts the stores of a backup, or one of them, in the place of those of a master that does not run. Nothing that is
 * there is touched before copies of the backup lie beside it and were read back; then all is exchanged as if at once
 * (`file-swap.ts`). What was there stays, as `….before-restore-<time>`. At the master's next start the two stores are made
 * to agree, and agents send again what is missing.
 *
 * Throws `file_in_use` while a master runs, `disk_full`, `backup_invalid` where the backup is not whole,
 * `file_foreign` where one side would not belong to the other, and what reading the files throws.
 */
export async function restoreBackup(
  directory: string,
  paths: StorePaths,
  sides: readonly Side[],
  task: LongTask,
  now: () => number = Date.now,
): Promise<Restored> {
  refuseLinks(paths);
  const lock = FileLock.take(paths.records, RECORDS_FILE.kind);
  try {
    finishRestore(paths);
    const manifest = readManifest(directory);
    const all = SIDES.map((side) => placeOf(side, directory, paths, manifest));
    const places = all.filter(({ side }) => sides.includes(side));
    await refuseForeign(manifest, paths, sides, task);
    const bytes = places.reduce((sum, { expected }) => sum + expected.bytes, 0);
    await requireSpace(dirname(paths.records), bytes);
    try {
      for (const place of places) await copyAndCheck(place, paths.files, task);
      task.signal.throwIfAborted();
      return { manifest, ...exchange(places, paths, now()) };
    } catch (error) {
      // Once the plan is written the copies are part of it, and it will be carried out.
      if (!existsSync(planOf(paths.records))) for (const { to } of places) removeTree(partOf(to));
      throw systemError(error, `${directory} cannot be restored`);
    }
  } finally {
    lock.release();
  }
}

/** What is renamed is the link, and what it leads to would stay as it is. */
export function refuseLinks({ records, facts }: StorePaths): void {
  for (const path of [records, facts]) {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) continue;
    throw new CodedError(
      'file_unusable',
      `${path} is a symbolic link, and files are exchanged by renaming: link the directory instead`,
    );
  }
}

interface Place {
  side: Side;
  from: string;
  to: string;
  /** What belongs to the file that is there now. */
  endings: readonly string[];
  expected: Manifest['files'][typeof RECORDS_NAME] | Manifest['files'][typeof FACTS_NAME];
}

function placeOf(side: Side, directory: string, paths: StorePaths, { files }: Manifest): Place {
  const name = side === 'records' ? RECORDS_NAME : FACTS_NAME;
  return {
    side,
    from: join(directory, name),
    to: paths[side],
    endings: side === 'records' ? RECORDS_ENDINGS : paths.files.endings,
    expected: files[name],
  };
}

/** One side alone must belong to the other one that stays: a master refuses two that do not, when it is too late. */
async function refuseForeign(
  manifest: Manifest,
  paths: StorePaths,
  sides: readonly Side[],
  task: LongTask,
): Promise<void> {
  const { storeId } = manifest.files[RECORDS_NAME];
  if (!sides.includes('records')) {
    if (!existsSync(paths.records)) {
      throw new CodedError(
        'file_unusable',
        `there is no ${RECORDS_FILE.kind} ${paths.records}: restore both sides`,
      );
    }
    if ((await storeIdOf(paths.records, task)) !== storeId) {
      throw new CodedError(
        'file_foreign',
        `the facts of the backup belong to other records than ${paths.records}`,
      );
    }
  }
  if (!sides.includes('facts') && existsSync(paths.facts)) {
    const owner = await paths.files.ownerOf(paths.facts, task);
    if (owner !== null && owner !== storeId) {
      throw new CodedError(
        'file_foreign',
        `${paths.facts} belongs to other records than those of the backup`,
      );
    }
  }
}

async function copyAndCheck(place: Place, files: FactFiles, task: LongTask): Promise<void> {
  const { side, from, to, expected } = place;
  if (!existsSync(from)) throw new CodedError('backup_invalid', `the backup has no ${basename(from)}`);
  const part = partOf(to);
  await copyWhole(from, part, `copying ${side}`, task);
  const { bytes, sha256 } = await digestOf(part, `checking ${side}`, task);
  if (bytes !== expected.bytes || sha256 !== expected.sha256) {
    throw new CodedError(
      'backup_invalid',
      `${from} is not the file that was written there: it was damaged or changed`,
    );
  }
  const found = side === 'records' ? await inspectRecords(part, task) : await files.inspect(part, task);
  const wrong = differences(expected, found);
  if (wrong.length > 0) {
    throw new CodedError('backup_invalid', `${from} does not hold what the backup says: ${wrong.join(', ')}`);
  }
}

/** Names of what two summaries say differently, in whatever order they say it. */
function differences(expected: object, found: object): string[] {
  const text = (value: unknown) =>
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null ? Object.fromEntries(Object.entries(inner).sort()) : inner,
    );
  const values = Object.entries(found);
  return values
    .filter(([name, value]) => text((expected as Record<string, unknown>)[name]) !== text(value))
    .map(([name]) => name);
}

function exchange(
  places: readonly Place[],
  paths: StorePaths,
  now: number,
): { paths: string[]; keptAs: string[] } {
  const away: Move[] = [];
  const back: Move[] = [];
  for (const { to, endings } of places) {
    const aside = unusedPath(`${to}.before-restore-${stampOf(now)}`);
    for (const ending of endings) {
      if (existsSync(to + ending)) away.push({ from: basename(to + ending), to: basename(aside + ending) });
    }
    back.push({ from: basename(partOf(to)), to: basename(to) });
  }
  swapFiles(planOf(paths.records), [...away, ...back]);
  const directory = dirname(paths.records);
  return {
    paths: back.map(({ to }) => join(directory, to)),
    keptAs: away.map(({ to }) => join(directory, to)),
  };
}
