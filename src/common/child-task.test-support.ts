import { appendFileSync } from 'node:fs';
import { serveChild } from './child-task.ts';
import { CodedError } from './errors.ts';
import type { Report } from './progress.ts';

const OPERATIONS = {
  echo: (report: Report, value: unknown) => {
    report({ step: 'echoing', done: 1, total: 2 });
    return { value, pid: process.pid };
  },
  refuse: () => {
    throw new CodedError('file_damaged', 'it is broken', { details: [{ field: 'a', problem: 'b' }] });
  },
  fail: () => {
    throw new TypeError('a bug');
  },
  die: () => process.kill(process.pid, 'SIGKILL'),
  /** Writes a byte now and again, for ever. */
  linger: (report: Report, path: string) =>
    new Promise<never>(() => {
      setInterval(() => {
        appendFileSync(path, '.');
        report({ step: 'lingering', done: 1, total: 0 });
      }, 10);
    }),
};
export type TestOperations = typeof OPERATIONS;

serveChild(OPERATIONS);
