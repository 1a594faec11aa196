import { serveChild } from '../../../common/child-task.ts';
import { compactFile } from './compact-file.ts';
import { copyFile, inspectFile, ownerOfFile } from './inspect-file.ts';

/** What `EMBEDDED_FACT_FILES` has done in a process of its own: this module is that process. */
const OPERATIONS = {
  copy: (_report: unknown, path: string, target: string) => copyFile(path, target),
  inspect: inspectFile,
  ownerOf: (_report: unknown, path: string) => ownerOfFile(path),
  compact: compactFile,
};
export type FactOperations = typeof OPERATIONS;

serveChild(OPERATIONS);
