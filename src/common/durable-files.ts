import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fsyncSync,
  openSync,
  renameSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { LongTask } from './progress.ts';

/**
 * Brings a file's bytes to the disk. Never for a file that this process holds a lock on: closing any descriptor of it
 * drops the lock.
 */
export function syncFile(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Brings a directory's names to the disk. Windows cannot open a directory, and writes names through. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A rename that a loss of power does not undo, of something whose bytes are on the disk. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncDirectory(dirname(to));
}

/** A reading of 1 MiB at a time. */
const CHUNK = 1024 * 1024;

export interface FileDigest {
  bytes: number;
  /** SHA-256, 64 hexadecimal digits. */
  sha256: string;
}

/** Reads a file whole. */
export async function digestOf(
  path: string,
  step: string,
  { signal, report }: LongTask,
): Promise<FileDigest> {
  const hash = createHash('sha256');
  const total = statSync(path).size;
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    signal.throwIfAborted();
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    report({ step, done: bytes, total });
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Copies a file to a new one, which only its owner may read, and brings it to the disk. */
export async function copyWhole(
  from: string,
  to: string,
  step: string,
  { signal, report }: LongTask,
): Promise<void> {
  const total = statSync(from).size;
  let done = 0;
  const source = createReadStream(from, { highWaterMark: CHUNK });
  const counted = async function* () {
    for await (const chunk of source) {
      signal.throwIfAborted();
      done += (chunk as Buffer).length;
      report({ step, done, total });
      yield chunk;
    }
  };
  await pipeline(counted, createWriteStream(to, { flags: 'wx', mode: 0o600 }));
  syncFile(to);
}
