import { existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { renameDurably, syncDirectory, syncFile } from '../../common/durable-files.ts';
import { CodedError } from '../../common/errors.ts';
import { FileLock } from '../../common/file-lock.ts';
import type { LongTask } from '../../common/progress.ts';
import { openStore } from '../../common/sqlite.ts';
import { finishRestore } from '../backup/restore.ts';
import { RecordsAsFacts } from '../ingest/records-as-facts.ts';
import { RECORDS_FILE } from '../ingest/schema.ts';
import type { FactsEngine, Rebuilt } from '../store/rebuild.ts';

export interface RebuildOptions {
  /** The records database. */
  records: string;
  /** The facts file; there may be none. */
  facts: string;
  engine: FactsEngine;
  /** Replace a file of facts though it can be read. */
  force: boolean;
}

export interface RebuiltFacts extends Rebuilt {
  /** Where the file lies that was there before; null where there was none. */
  keptAs: string | null;
}

/** A database of the original's has no lots, and a master has to adopt it first. */
const OURS = { ...RECORDS_FILE, adopts: () => false };

/**
 * Makes the facts anew from the records of a master that does not run: the last resort where the facts file cannot be
 * read and there is no copy. Totals of connections are exact; their minutes are lost, and so are unattributed bytes
 * and connections of which no record is kept. The new file takes its place when it is whole, so that dying or being
 * interrupted leaves everything as it was; the old one is kept.
 *
 * Throws `facts_readable`, `file_missing`, `file_in_use`, and what opening either store throws.
 */
export async function rebuildFromRecords(options: RebuildOptions, task: LongTask): Promise<RebuiltFacts> {
  const { records, facts, engine, force } = options;
  if (!existsSync(records)) throw new CodedError('file_missing', `there is no records database ${records}`);
  const lock = FileLock.take(records, RECORDS_FILE.kind);
  try {
    finishRestore({ records, facts });
    const readable = existsSync(facts) && (await engine.isReadable(facts, task));
    if (readable && !force) {
      throw new CodedError('facts_readable', `the facts file ${facts} can be read`);
    }
    const made = `${facts}.rebuild`;
    removeStore(made);
    try {
      const rebuilt = await rebuild(records, made, engine, task);
      syncFile(made);
      // From here on it is quicker to end than to undo.
      task.signal.throwIfAborted();
      return { ...rebuilt, keptAs: replace(facts, made, readable ? 'before-rebuild' : 'damaged') };
    } finally {
      removeStore(made);
    }
  } finally {
    lock.release();
  }
}

async function rebuild(records: string, made: string, engine: FactsEngine, task: LongTask): Promise<Rebuilt> {
  const db = openStore(records, OURS);
  try {
    return await engine.rebuild(made, new RecordsAsFacts(db), task);
  } finally {
    db.close();
  }
}

function removeStore(path: string): void {
  for (const ending of ['', '.wal', '.last']) rmSync(path + ending, { force: true });
  rmSync(`${path}.tmp`, { recursive: true, force: true });
}

/**
 * Puts the new file in the place of the old one, which is kept under another name. There is a file at every moment: a
 * master that found none would begin with an empty one. The old file's log and last good copy go aside with it, before
 * the new one could be taken for theirs.
 */
function replace(facts: string, made: string, why: 'damaged' | 'before-rebuild'): string | null {
  if (!existsSync(facts)) {
    renameDurably(made, facts);
    return null;
  }
  const kept = freeName(`${facts}.${why}`);
  linkSync(facts, kept);
  for (const ending of ['.wal', '.last']) {
    if (existsSync(facts + ending)) renameSync(facts + ending, kept + ending);
  }
  syncDirectory(dirname(facts));
  renameDurably(made, facts);
  return kept;
}

function freeName(name: string): string {
  for (let number = 1; ; number++) {
    const free = number === 1 ? name : `${name}-${number}`;
    if (!existsSync(free)) return free;
  }
}
