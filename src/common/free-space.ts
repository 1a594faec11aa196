import { stat, statfs } from 'node:fs/promises';
import { byteSize } from './byte-size.ts';
import { CodedError } from './errors.ts';

/** Left over for everybody else: a disk that is full to the last byte stops the master that shares it. */
const MARGIN = 64 * 1024 * 1024;

/** Bytes of files, those that are not there being none. */
export async function bytesOf(...paths: readonly string[]): Promise<number> {
  const sizes = paths.map(async (path) => {
    try {
      return (await stat(path)).size;
    } catch {
      return 0;
    }
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Throws `disk_full` where so many bytes, and a little to live on, would not fit into a directory. */
export async function requireSpace(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= bytes + MARGIN) return;
  throw new CodedError(
    'disk_full',
    `${directory} has ${byteSize(free)} free, and this needs ${byteSize(bytes + MARGIN)}`,
  );
}
