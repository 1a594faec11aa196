import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, copyFileSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';

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

function partOf(path: string): string {
  return `${lastGoodOf(path)}.part`;
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
  if (!existsSync(path) || isKept(path)) return;
  copyFileSync(path, partOf(path), constants.COPYFILE_FICLONE);
  renameSync(partOf(path), lastGoodOf(path));
}

const COPY =
  'const f = require("node:fs"); f.copyFileSync(process.argv[1], process.argv[2], f.constants.COPYFILE_FICLONE)';

/**
 * For a file that this process has open: copied by a child, because closing any descriptor of it here would drop
 * the lock that keeps other processes away. Between two checkpoints the file itself does not change. Returns
 * whether the copy could be made.
 */
export async function keepLastGoodOfOpen(path: string): Promise<boolean> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, ['-e', COPY, path, partOf(path)], { stdio: 'ignore', env });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) return false;
    renameSync(partOf(path), lastGoodOf(path));
    return true;
  } catch {
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
