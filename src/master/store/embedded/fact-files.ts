import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInChild } from '../../../common/child-task.ts';
import type { FactFiles } from '../fact-files.ts';
import type { FactOperations } from './facts-child.ts';

/** Sources in development, compiled in the package: the child has its neighbour's ending. */
const CHILD = new URL(`./facts-child${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

/** DuckDB files at rest. */
export const EMBEDDED_FACT_FILES: FactFiles = {
  endings: ['', '.wal', '.last'],
  copy: (path, target, task) => runInChild<FactOperations, 'copy'>(CHILD, 'copy', [path, target], task),
  inspect: (path, task) => runInChild<FactOperations, 'inspect'>(CHILD, 'inspect', [path], task),
  ownerOf: (path, task) => runInChild<FactOperations, 'ownerOf'>(CHILD, 'ownerOf', [path], task),
  compact: (path, target, task) =>
    runInChild<FactOperations, 'compact'>(CHILD, 'compact', [path, target], task),
};
