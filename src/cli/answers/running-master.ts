import { readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { CodedError } from '../../common/errors.ts';
import type { Answerer, Asked } from './ask.ts';

/** A master answers within 10 s, or says that it cannot; the rest is for the way. */
const PATIENCE_MS = 60_000;

/** A master that is asked over its socket. */
export function runningMaster({ url, token, ca }: Omit<Asked, 'database'> & { url: string }): Answerer {
  const certificates = ca === undefined ? undefined : readCertificates(ca);
  return {
    notes: [],
    async ask(path, body, signal) {
      const limits = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
      try {
        const response = await request(new URL(`${url}/api/v1${path}`), {
          token,
          ca: certificates,
          body: body === null ? null : JSON.stringify(body),
          signal: limits,
        });
        const answer = await text(response);
        return { status: response.statusCode ?? 0, body: jsonOf(answer) };
      } catch (error) {
        signal.throwIfAborted();
        throw unreachable(url, error);
      }
    },
    close: async () => {},
  };
}

interface Sent {
  token: string | undefined;
  ca: string | undefined;
  body: string | null;
  signal: AbortSignal;
}

function request(url: URL, { token, ca, body, signal }: Sent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = {
      method: body === null ? 'GET' : 'POST',
      signal,
      headers: {
        accept: 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== null && {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
        }),
      },
    };
    const call =
      url.protocol === 'https:'
        ? https.request(url, { ...options, ...(ca !== undefined && { ca }) })
        : http.request(url, options);
    call.on('response', resolve);
    call.on('error', reject);
    call.end(body ?? undefined);
  });
}

function jsonOf(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return null;
  }
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CodedError('file_unusable', `--ca ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function unreachable(url: string, error: unknown): CodedError {
  const { name, code, message } = error as NodeJS.ErrnoException;
  const reason = name === 'TimeoutError' ? `nothing within ${PATIENCE_MS / 1000} s` : message || code;
  return new CodedError('master_unreachable', `no answer from ${url}: ${reason}`, { cause: error });
}
