import { readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { createInterface } from 'node:readline';
import { CodedError, ERRORS, type ErrorCode, type ErrorDetail } from '../common/errors.ts';

export interface MasterAddress {
  /** Base address, as `--master-url` has it after its check. */
  url: string;
  token?: string | undefined;
  /** File with the certificates to trust in place of the system's. */
  ca?: string | undefined;
}

/** The newest answer of the envelope that a command can meet. */
interface Failed {
  code?: string;
  message?: string;
  details?: readonly ErrorDetail[];
}

/**
 * Asks a running master to do something, and passes on what it says line by line (NDJSON) until it has said all.
 *
 * Throws `master_unreachable`, and what the master answers instead, by its code.
 */
export async function commandMaster(
  { url, token, ca }: MasterAddress,
  path: string,
  body: object,
  signal: AbortSignal,
  onLine: (line: Record<string, unknown>) => void,
): Promise<void> {
  const answer = await post(new URL(url + path), {
    signal,
    headers: {
      'content-type': 'application/json',
      accept: 'application/x-ndjson, application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    ca: ca === undefined ? undefined : readCertificates(ca),
  });
  let last = '';
  try {
    for await (const line of createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY })) {
      last = line;
      if (answer.statusCode === 200) onLine(parse(line));
    }
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(url, error);
  }
  signal.throwIfAborted();
  if (!answer.complete) throw unreachable(url, new Error('the connection ended before the answer did'));
  if (answer.statusCode !== 200) throw failureOf(url, answer.statusCode, last);
}

interface Post {
  signal: AbortSignal;
  headers: Record<string, string>;
  body: string;
  ca: string | undefined;
}

function post(url: URL, { signal, headers, body, ca }: Post): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers, signal };
    const call =
      url.protocol === 'https:'
        ? https.request(url, { ...options, ...(ca === undefined ? {} : { ca }) })
        : http.request(url, options);
    call.on('response', resolve);
    call.on('error', (error) => reject(signal.aborted ? signal.reason : unreachable(url.origin, error)));
    call.end(body);
  });
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CodedError('file_unusable', `--master-ca ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The failure that a line tells of, by the code of the master where this program knows it. */
export function failureOf(url: string, status: number | undefined, line: string): CodedError {
  const { code = '', message = '', details } = parse(line) as Failed;
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined;
  if (known === undefined || message === '') {
    return new CodedError(
      'master_unreachable',
      `${url} answered ${status ?? 'nothing'}, not as a master does`,
    );
  }
  return new CodedError(
    known,
    `the master at ${url} answers: ${message}`,
    details === undefined ? {} : { details },
  );
}

function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function unreachable(url: string, error: unknown): CodedError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new CodedError('master_unreachable', `no answer from ${url}: ${message || code}`, { cause: error });
}
