import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isatty } from 'node:tty';
import { startAll, stopAll } from '../common/component.ts';
import { CodedError } from '../common/errors.ts';
import { silentLogger } from '../common/logger.ts';
import { systemError } from '../common/system-error.ts';
import { topField } from '../master/http/field-path.ts';
import { localZone } from './answers/bounds.ts';
import { failureText } from './answers/failure-text.ts';
import { successOf } from './api-answer.ts';
import type { ValuesOf } from './config/values.ts';
import { MasterClient } from './master-client.ts';
import { buildMaster } from './master-parts.ts';
import type { Task } from './program.ts';

type Values = ValuesOf<'export'>;
/** A master that answers, and how it is left again. */
interface Asked {
  readonly master: MasterClient;
  leave(): Promise<void>;
}

const STDOUT = 1;
const STOP_MS = 9000;

/**
 * `export`: from a running master, or from the files of one that is stopped, which are then answered from by a master
 * of this process that serves this process alone. A file is there when it is whole, or not at all.
 */
export function exportTask(values: Values): Task {
  return {
    run: async (told) => {
      const { format, output } = values;
      if (format === 'parquet' && output === '-' && isatty(STDOUT)) {
        throw new CodedError('export_refused', 'Parquet is no text: give it a file with --output');
      }
      const body = ticketBody(values);
      const asked = await askedMaster(values);
      try {
        await download(asked.master, body, output, told);
        return 0;
      } catch (error) {
        if (!told.aborted) {
          if (!(error instanceof CodedError)) throw error;
          console.error(failureText(error, wordsOf(values, body)));
          return 2;
        }
        console.error('the export was interrupted: nothing half done is left');
        return 1;
      } finally {
        await asked.leave();
      }
    },
  };
}

function ticketBody({
  what,
  format,
  tier,
  range,
  from,
  to,
  tz = localZone(),
  filter,
  query,
}: Values): object {
  const given = { range, from, to, tz, filter, tier };
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (what !== 'query') return { format, [what]: own };
  try {
    return { format, query: { ...(JSON.parse(query ?? '{}') as object), ...own } };
  } catch (error) {
    throw new CodedError('export_refused', `--query is no JSON: ${(error as Error).message}`);
  }
}

/** The fields of the ticket as whoever asked gave them: by an option, or in --query. */
function wordsOf(
  values: Values,
  body: object,
): { filter: string | undefined; nameOf(field: string): string } {
  const { [values.what]: asked = {} } = body as Record<string, { filter?: string }>;
  const nameOf = (path: string) => {
    const field = path.replace(`${values.what}.`, '');
    const option = topField(field) as 'range' | 'from' | 'to' | 'tz' | 'filter';
    return values.what === 'query' && values[option] === undefined ? `--query: ${field}` : `--${option}`;
  };
  return { filter: asked.filter, nameOf };
}

async function askedMaster({ url, token: presented, ca, database }: Values): Promise<Asked> {
  if (url !== undefined) {
    return { master: new MasterClient({ url, token: presented, ca }), leave: async () => {} };
  }
  if (!existsSync(database)) throw new CodedError('file_missing', `there is no database ${database}`);
  const token = randomBytes(32).toString('base64url');
  const { components, server } = buildMaster({
    database,
    http: { host: '127.0.0.1', port: 0, apiToken: token, allowHosts: [], trustedOrigins: [] },
    // Nothing goes while somebody saves it.
    retention: { days: { minute: 0, half_hour: 0 }, budget: null },
    recordRetentionDays: 0,
    hasLocalAgent: false,
    logger: silentLogger(),
  });
  await startAll(components);
  const leave = async () => {
    await stopAll(components, STOP_MS);
  };
  return { master: new MasterClient({ url: `http://127.0.0.1:${server.port}`, token }), leave };
}

/** By a ticket, the one way to export the answer to a query. */
async function download(
  master: MasterClient,
  asked: object,
  output: string,
  told: AbortSignal,
): Promise<void> {
  const reply = await master.ask('/export/ticket', asked, told);
  const { url } = successOf<{ url: string }>(reply, master.url).data;
  // Its path is the master's own, before which a proxy may have another.
  const { search } = new URL(url, master.url);
  await master.download(`/export${search}`, told, (body) => write(body, output, told));
}

async function write(source: Readable, output: string, told: AbortSignal): Promise<void> {
  if (output === '-') {
    await pipeline(source, process.stdout, { signal: told, end: false });
    return;
  }
  const part = `${output}.part`;
  if (existsSync(output) && statSync(output).isDirectory()) {
    throw new CodedError('file_unusable', `${output} is a directory: name a file in it`);
  }
  try {
    await pipeline(source, createWriteStream(part), { signal: told });
    renameSync(part, output);
  } catch (error) {
    rmSync(part, { force: true });
    throw systemError(error, `${output} cannot be written`);
  }
}
