import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { renameDurably, syncDirectory, syncFile } from './durable-files.ts';
import { CodedError } from './errors.ts';

/** A rename within one directory, by names. */
export interface Move {
  from: string;
  to: string;
}

/**
 * Renames several files of a directory so that, whenever the process dies, either none is renamed or all will be: what
 * is to be done is written down first, in the file `plan`, and whoever finds it there does the rest.
 *
 * Every `from` must be on the disk, and no `to` may exist but where an earlier move of the list takes it away. Nobody
 * may have the files open.
 */
export function swapFiles(plan: string, moves: readonly Move[]): void {
  writeFileSync(`${plan}.new`, JSON.stringify({ moves }), { mode: 0o600 });
  syncFile(`${plan}.new`);
  renameDurably(`${plan}.new`, plan);
  finishSwap(plan);
}

/**
 * Ends a swap that was cut short. Returns what it was about, null where there was none. A move is done when its `to`
 * is there: names that are taken away are never used twice.
 */
export function finishSwap(plan: string): readonly Move[] | null {
  rmSync(`${plan}.new`, { force: true });
  if (!existsSync(plan)) return null;
  const directory = dirname(plan);
  const moves = readPlan(plan);
  for (const { from, to } of moves) {
    const [source, target] = [join(directory, from), join(directory, to)];
    if (!existsSync(target) && existsSync(source)) renameDurably(source, target);
  }
  rmSync(plan);
  syncDirectory(directory);
  return moves;
}

function readPlan(plan: string): readonly Move[] {
  try {
    const { moves } = JSON.parse(readFileSync(plan, 'utf8')) as { moves: Move[] };
    // Names only: a plan is no way to reach other directories.
    if (moves.every(({ from, to }) => basename(from) === from && basename(to) === to)) return moves;
  } catch {
    // Told below: it was written whole, so somebody changed it.
  }
  throw new CodedError('file_unusable', `${plan} is not the list of renames that it should be`);
}
