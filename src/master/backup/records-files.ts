import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInChild } from '../../common/child-task.ts';
import type { FileDigest } from '../../common/durable-files.ts';
import type { LongTask } from '../../common/progress.ts';
import type { RecordsOperations } from './records-child.ts';

const CHILD = new URL(`./records-child${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

/** What a records database holds. Sums of counters are exact below 2^53. */
export interface RecordsSummary extends FileDigest {
  storeId: string;
  schema: number;
  connections: number;
  download: number;
  upload: number;
  agents: number;
  lots: number;
  newest: { lot: number; token: string } | null;
  /** Facts that it keeps, flushed or not. */
  pending: number;
}

export interface CompactedRecords {
  before: number;
  after: number;
  /** Texts that no record had any more. */
  dropped: { text?: number };
}

/** `-wal` and `-shm` belong to a database while it is open, and after a crash. */
export const RECORDS_ENDINGS = ['', '-wal', '-shm'] as const;

/** Copies a records database as it is at one moment; `inUse`: another process writes to it meanwhile. */
export function copyRecords(path: string, target: string, inUse: boolean, task: LongTask): Promise<void> {
  return runInChild<RecordsOperations, 'copy'>(CHILD, 'copy', [path, target, inUse], task);
}

/** Reads every page of a copy, and then its bytes. Throws `file_damaged` and what opening it throws. */
export function inspectRecords(path: string, task: LongTask): Promise<RecordsSummary> {
  return runInChild<RecordsOperations, 'inspect'>(CHILD, 'inspect', [path], task);
}

/** The token of a lot in a copy, null where it knows no such lot. */
export function tokenOfLot(path: string, lot: number, task: LongTask): Promise<string | null> {
  return runInChild<RecordsOperations, 'tokenOfLot'>(CHILD, 'tokenOfLot', [path, lot], task);
}

/** The identity of a records database that nobody has open. */
export function storeIdOf(path: string, task: LongTask): Promise<string> {
  return runInChild<RecordsOperations, 'storeId'>(CHILD, 'storeId', [path], task);
}

/** Writes a database that nobody has open into a new, smaller file, and compares the two. */
export function compactRecords(path: string, target: string, task: LongTask): Promise<CompactedRecords> {
  return runInChild<RecordsOperations, 'compact'>(CHILD, 'compact', [path, target], task);
}
