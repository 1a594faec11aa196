import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CodedError } from '../../../common/errors.ts';

/**
 * A copy of the facts file as it was before it was last written to.
 *
 * DuckDB appends commits to its log, which survives any death; but a checkpoint writes into the file, and parts of
 * it in place. A process that is killed in the middle of such a write leaves a block whose checksum is wrong, and a
 * file that cannot be opened any more (seen: once in some hundred kills). So the file is copied before every
 * checkpoint, and a damaged one is replaced by its copy: the lots that the copy lacks are still kept by the records
 * and flushed again, as after the restore of any older copy.
 */
export function lastGoodOf(path: string): string {
  return `${path}.last`;
}

/**
 * One of this process's own: a child that outlives its parent goes on copying for a while, and must not write into what
 * the next process made.
 */
function partOf(path: string): string {
  return `${lastGoodOf(path)}.${process.pid}.part`;
}

/** Copies that were cut short, of processes that are gone: who opens the file has it alone. */
function removeParts(path: string): void {
  const prefix = `${basename(lastGoodOf(path))}.`;
  for (const name of readdirSync(dirname(path))) {
    const isPart = name.startsWith(prefix) && /^(\d+\.)?part$/.test(name.slice(prefix.length));
    if (isPart) rmSync(join(dirname(path), name), { force: true });
  }
}

/** Nothing was written to the file since it was copied. */
function isKept(path: string): boolean {
  const last = lastGoodOf(path);
  if (!existsSync(last)) return false;
  const [file, copy] = [statSync(path), statSync(last)];
  return copy.size === file.size && copy.mtimeMs >= file.mtimeMs;
}

/** For a file that nobody in this process has open. */
export function keepLastGood(path: string): void {
  removeParts(path);
  if (!existsSync(path) || isKept(path)) return;
  copyFileSync(path, partOf(path), constants.COPYFILE_FICLONE);
  renameSync(partOf(path), lastGoodOf(path));
}

/** Ends with the code of what went wrong on standard output. */
const COPY = `
const fs = require("node:fs");
const [from, to] = process.argv.slice(1);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
try {
  fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE);
  const copy = fs.openSync(to, "r+");
  fs.fsyncSync(copy);
  fs.closeSync(copy);
} catch (error) {
  console.log(error.code);
  process.exitCode = 1;
}`;

/**
 * Copies a facts file that this process has open, to the disk, by a child: closing any descriptor of it here would drop
 * the lock that keeps other processes away. Between two checkpoints the file itself does not change. Throws
 * `disk_full` or `file_unusable`, and the signal's reason.
 */
export async function copyOfOpen(path: string, target: string, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, ['-e', COPY, path, target], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env,
  });
  const end = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', end, { once: true });
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
  });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    signal?.throwIfAborted();
    if (code === 0) return;
  } finally {
    signal?.removeEventListener('abort', end);
  }
  const reason = said.trim();
  throw new CodedError(
    reason === 'ENOSPC' || reason === 'EDQUOT' ? 'disk_full' : 'file_unusable',
    `the facts file ${path} cannot be copied to ${target}: ${reason === '' ? 'the copying process died' : reason}`,
  );
}

/** For a file that this process has open. Returns whether the copy could be made. */
export async function keepLastGoodOfOpen(path: string): Promise<boolean> {
  try {
    await copyOfOpen(path, partOf(path));
    renameSync(partOf(path), lastGoodOf(path));
    return true;
  } catch {
    rmSync(partOf(path), { force: true });
    return false;
  }
}

/**
 * Puts the copy in the place of a damaged file, which is kept as `….damaged`. The log belongs to the damaged file
 * and goes with it. Returns false where there is no copy.
 */
export function restoreLastGood(path: string): boolean {
  if (!existsSync(lastGoodOf(path))) return false;
  copyFileSync(lastGoodOf(path), partOf(path), constants.COPYFILE_FICLONE);
  rmSync(`${path}.wal`, { force: true });
  renameSync(path, `${path}.damaged`);
  renameSync(partOf(path), path);
  return true;
}
