import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { HttpClient } from './http-client.ts';
import { type Reply, retryAfterMs } from './outcome.ts';

const compress = promisify(gzip);

/** Carries one request to the master. Never throws: what goes wrong on the way is a reply of its own. */
export interface Transport {
  post(path: '/api/v1/sync' | '/api/v2/sync', body: string): Promise<Reply>;
  close(): Promise<void>;
}

export interface HttpTransportOptions {
  /** Base address of the master; a path prefix is kept. */
  url: string;
  token?: string | undefined;
  /** File with the certificates to trust in place of the system's. */
  ca?: string | undefined;
}

/** Milliseconds to wait for an answer: a slow uplink must get a large batch through, so it grows with the size. */
export function timeoutFor(bytes: number): number {
  return 15_000 + Math.ceil(bytes / 16);
}

export class HttpTransport implements Transport {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #client: HttpClient;

  constructor(options: HttpTransportOptions) {
    this.#base = options.url.replace(/\/+$/, '');
    this.#headers = { 'content-type': 'application/json', accept: 'application/json' };
    if (options.token !== undefined) this.#headers.authorization = `Bearer ${options.token}`;
    const ca = options.ca === undefined ? undefined : readFileSync(options.ca, 'utf8');
    this.#client = new HttpClient({ secure: /^https:/i.test(options.url), ca });
  }

  async post(path: '/api/v1/sync' | '/api/v2/sync', body: string): Promise<Reply> {
    try {
      // The original's master reads plain bodies only.
      const zipped = path === '/api/v2/sync';
      const payload = zipped ? await compress(body) : Buffer.from(body);
      const answer = await this.#client.post(this.#base + path, {
        headers: zipped ? { ...this.#headers, 'content-encoding': 'gzip' } : this.#headers,
        body: payload,
        timeoutMs: timeoutFor(payload.length),
      });
      return {
        kind: 'answer',
        status: answer.status,
        retryAfterMs: retryAfterMs(answer.headers['retry-after'], Date.now()),
        body: answer.body.toString('utf8'),
      };
    } catch (error) {
      const cause = error as { code?: string; message?: string };
      return { kind: 'failed', reason: cause.code ?? cause.message ?? 'unknown' };
    }
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}
