import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { isatty } from 'node:tty';
import { startAll, stopAll } from '../common/component.ts';
import type { ErrorDetail } from '../common/errors.ts';
import { CodedError } from '../common/errors.ts';
import { silentLogger } from '../common/logger.ts';
import { localZone } from './answers/bounds.ts';
import type { ValuesOf } from './config/values.ts';
import { buildMaster } from './master-parts.ts';
import type { Task } from './program.ts';

type Values = ValuesOf<'export'>;
/** A master that answers, and how it is left again. */
interface Asked {
  readonly url: string;
  readonly token: string | undefined;
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
        await write(await download(asked, body, told), output, told);
        return 0;
      } catch (error) {
        if (!told.aborted) throw error;
        console.error('the export was interrupted: nothing half done is left');
        return 1;
      } finally {
        await asked.leave();
      }
    },
  };
}

function ticketBody({ what, format, range, from, to, tz = localZone(), filter, query }: Values): object {
  const given = { range, from, to, tz, filter };
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (what !== 'query') return { format, [what]: own };
  try {
    return { format, query: { ...(JSON.parse(query ?? '{}') as object), ...own } };
  } catch (error) {
    throw new CodedError('export_refused', `--query is no JSON: ${(error as Error).message}`);
  }
}

async function askedMaster({ url, token: presented, database }: Values): Promise<Asked> {
  if (url !== undefined) {
    return { url: url.replace(/\/+$/, ''), token: presented, leave: async () => {} };
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
  return { url: `http://127.0.0.1:${server.port}`, token, leave };
}

async function download(asked: Asked, body: object, told: AbortSignal): Promise<ReadableStream> {
  const authorization = asked.token === undefined ? {} : { authorization: `Bearer ${asked.token}` };
  const ticket = await ask(`${asked.url}/api/v1/export/ticket`, {
    method: 'POST',
    headers: { ...authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: told,
  });
  const { data } = (await ticket.json()) as { data: { url: string } };
  const answer = await ask(new URL(data.url, asked.url).href, { signal: told });
  if (answer.body === null) throw new CodedError('export_refused', 'the master answered without a body');
  return answer.body as ReadableStream;
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    const cause = (error as { cause?: Error }).cause ?? (error as Error);
    throw new CodedError('master_unreachable', `the master cannot be reached: ${cause.message}`, {
      cause: error,
    });
  }
  if (response.ok) return response;
  const failure = (await response.json().catch(() => ({}))) as { message?: string; details?: ErrorDetail[] };
  throw new CodedError('export_refused', failure.message ?? `the master answered ${response.status}`, {
    details: failure.details ?? [],
  });
}

async function write(body: ReadableStream, output: string, told: AbortSignal): Promise<void> {
  const source = Readable.fromWeb(body);
  if (output === '-') {
    await pipeline(source, process.stdout, { signal: told, end: false });
    return;
  }
  const part = `${output}.part`;
  try {
    await pipeline(source, createWriteStream(part), { signal: told });
    renameSync(part, output);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}
