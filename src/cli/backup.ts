import { resolve } from 'node:path';
import { byteSize } from '../common/byte-size.ts';
import { CodedError } from '../common/errors.ts';
import type { LongTask, Progress } from '../common/progress.ts';
import { backupAtRest } from '../master/backup/at-rest.ts';
import { EMBEDDED_FACT_FILES } from '../master/store/embedded/fact-files.ts';
import { successOf } from './api-answer.ts';
import type { ValuesOf } from './config/values.ts';
import { longTask, type Said } from './long-task.ts';
import { type MasterAddress, MasterClient } from './master-client.ts';
import { filesBeside } from './master-files.ts';
import type { Task } from './program.ts';

/** `backup`: by the master that runs, at `--url`, or of the files of one that does not. */
export function backupTask(values: ValuesOf<'backup'>): Task {
  const { url, token, ca, database } = values;
  if (url !== undefined) return longTask('the backup', (task) => byMaster({ url, token, ca }, task));
  const { facts, backups } = filesBeside(database);
  const directory = resolve(values.backupDirectory ?? backups);
  return longTask('the backup', async (task) => {
    const paths = { records: database, facts, files: EMBEDDED_FACT_FILES };
    const { path, bytes } = await backupAtRest(paths, directory, task).catch(askMaster);
    return saying(path, bytes);
  });
}

/** Who holds the database is most likely its master, which can make the backup itself. */
function askMaster(error: unknown): never {
  if (!(error instanceof CodedError) || error.code !== 'file_in_use') throw error;
  throw new CodedError('file_in_use', `${error.message}: with --url, a running master makes the backup`);
}

async function byMaster(address: MasterAddress, task: LongTask): Promise<Said> {
  const master = new MasterClient(address);
  let last: Record<string, unknown> = {};
  await master.command('/storage/backup', {}, task.signal, (line) => {
    last = line;
    if (line.status === 'running') task.report(line as unknown as Progress);
  });
  const { path, bytes } = successOf<{ path: string; bytes: number }>(
    { status: 200, body: last },
    master.url,
  ).data;
  return saying(path, bytes);
}

function saying(path: string, bytes: number): Said {
  return [`made ${path} (${byteSize(bytes)}), and read back both copies`];
}
