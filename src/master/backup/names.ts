import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** `2026-11-23T10-00-00Z`: an instant that every file system takes as part of a name. */
export function stampOf(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
}

/** A path that nothing has yet: `path`, or `path-2` and so on. */
export function unusedPath(path: string): string {
  let candidate = path;
  for (let number = 2; existsSync(candidate); number++) candidate = `${path}-${number}`;
  return candidate;
}

/** Named after its process: one that was killed may have a child that goes on for a moment. */
export function partOf(path: string): string {
  return `${path}.${process.pid}.part`;
}

/** Removes what work on a file that was cut short has left beside it. Only for who holds the lock on the file. */
export function removeParts(path: string): string[] {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  const isPart = (name: string) =>
    name.startsWith(prefix) && /^\d+\.part(-wal|-shm|-journal|\.wal|\.tmp)?$/.test(name.slice(prefix.length));
  return readdirSync(directory)
    .filter(isPart)
    .map((name) => removeTree(join(directory, name)));
}

/** Directories and files, also while a child of a process that was killed still writes into them. */
export function removeTree(path: string): string {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  return path;
}
