import { byteSize } from '../common/byte-size.ts';
import { type RebuiltFacts, rebuildFromRecords } from '../master/rebuild/rebuild-facts.ts';
import { EMBEDDED_FACTS } from '../master/store/embedded/facts-engine.ts';
import type { ValuesOf } from './config/values.ts';
import { longTask } from './long-task.ts';
import { filesBeside } from './master-files.ts';
import type { Task } from './program.ts';

/** `facts rebuild`: the last resort for a master that does not run and whose facts cannot be read. */
export function rebuildTask(values: ValuesOf<'facts rebuild'>): Task {
  const { database, force } = values;
  const facts = filesBeside(database).facts;
  return longTask('the rebuild', async (task) => {
    const options = { records: database, facts, engine: EMBEDDED_FACTS, force };
    return said(facts, await rebuildFromRecords(options, task));
  });
}

function said(facts: string, { lots, rows, download, upload, missing, keptAs }: RebuiltFacts): string[] {
  const size = (bytes: bigint) => byteSize(Number(bytes));
  const lost = missing.download + missing.upload;
  return [
    lots === 0
      ? `${facts}: a new file; the records still keep all there is to put into it`
      : `${facts}: ${rows} half hours with ${size(download)} down and ${size(upload)} up, in place of ${lots === 1 ? '1 lot' : `${lots} lots`}`,
    ...(lost === 0n
      ? []
      : [`${size(lost)} that no record explains are not in it: unattributed, or of connections not kept`]),
    ...(keptAs === null ? [] : ['what was there is kept, until you remove it, as', `  ${keptAs}`]),
    'Start the master: what the records still keep follows by the minute.',
  ];
}
