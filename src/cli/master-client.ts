import { readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { CodedError } from '../common/errors.ts';
import { linesOf } from '../common/lines.ts';
import { failureOf, jsonOf, type Reply } from './api-answer.ts';

export interface MasterAddress {
  /** Base address without a slash at its end, as `--url` has it after its check; a path in it is that of a proxy. */
  readonly url: string;
  readonly token?: string | undefined;
  /** File with the certificates to trust in place of the system's: `--ca`. */
  readonly ca?: string | undefined;
}

/** A master answers within 10 s, or says that it cannot; the rest is for the way. */
const PATIENCE_MS = 60_000;
/** Longest line of a command's answer, in characters: it names a path at most. */
const MAX_LINE = 64 * 1024;

/**
 * A running master, as every command asks it. Paths are below `/api/v1`; a body makes a POST of a GET. Everything throws
 * `master_unreachable` where no master answers, and the signal's reason once it is aborted.
 */
export class MasterClient {
  readonly url: string;
  readonly #token: string | undefined;
  readonly #certificates: string | undefined;

  /** Throws `file_unusable` where the certificates cannot be read. */
  constructor({ url, token, ca }: MasterAddress) {
    this.url = url;
    this.#token = token;
    this.#certificates = ca === undefined ? undefined : readCertificates(ca);
  }

  /** What it says, whatever that is. */
  async ask(path: string, body: object | null, signal: AbortSignal): Promise<Reply> {
    const limits = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    try {
      const answer = await this.#send(path, body, 'application/json', limits);
      return { status: answer.statusCode ?? 0, body: jsonOf(await text(answer)) };
    } catch (error) {
      signal.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  /**
   * Has something done that takes as long as it takes, and passes on what is said of it line by line (NDJSON). Throws what is
   * said instead, by its code.
   */
  async command(
    path: string,
    body: object,
    signal: AbortSignal,
    onLine: (line: Record<string, unknown>) => void,
  ): Promise<void> {
    const answer = await this.#open(path, body, 'application/x-ndjson, application/json', signal);
    try {
      for await (const { text: line } of linesOf(answer.setEncoding('utf8'), MAX_LINE)) {
        onLine((jsonOf(line ?? '') ?? {}) as Record<string, unknown>);
      }
    } catch (error) {
      signal.throwIfAborted();
      throw this.#unreachable(error);
    }
    signal.throwIfAborted();
    if (!answer.complete) throw this.#unreachable(new Error('the connection ended before the answer did'));
  }

  /**
   * Passes on a body of any length, as it comes, to `take`. Throws what is said instead of it, by its code, and what `take`
   * throws.
   */
  async download<T>(
    path: string,
    signal: AbortSignal,
    take: (body: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const answer = await this.#open(path, null, '*/*', signal);
    try {
      return await take(answer);
    } catch (error) {
      signal.throwIfAborted();
      throw answer.errored === error ? this.#unreachable(error) : error;
    }
  }

  /** An answer that is a success. */
  async #open(
    path: string,
    body: object | null,
    accept: string,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    let reply: Reply;
    try {
      const answer = await this.#send(path, body, accept, signal);
      if (answer.statusCode === 200) return answer;
      reply = { status: answer.statusCode ?? 0, body: jsonOf(await text(answer)) };
    } catch (error) {
      signal.throwIfAborted();
      throw this.#unreachable(error);
    }
    throw failureOf(reply, this.url);
  }

  #send(path: string, body: object | null, accept: string, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(`${this.url}/api/v1${path}`);
    const json = body === null ? undefined : JSON.stringify(body);
    const options = {
      method: json === undefined ? 'GET' : 'POST',
      signal,
      headers: {
        accept,
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...(json !== undefined && {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(json)),
        }),
      },
    };
    const ca = this.#certificates;
    return new Promise((resolve, reject) => {
      const call =
        url.protocol === 'https:'
          ? https.request(url, { ...options, ...(ca !== undefined && { ca }) })
          : http.request(url, options);
      call.on('response', resolve);
      call.on('error', reject);
      call.end(json);
    });
  }

  #unreachable(error: unknown): CodedError {
    const { name, code, message } = error as NodeJS.ErrnoException;
    const reason = name === 'TimeoutError' ? `nothing within ${PATIENCE_MS / 1000} s` : message || code;
    return new CodedError('master_unreachable', `no answer from ${this.url}: ${reason}`, { cause: error });
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
