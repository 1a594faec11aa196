import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Agent, request } from 'undici';
import { type Reply, retryAfterMs } from './outcome.ts';

const compress = promisify(gzip);

/** Longest answer that is read; a sync answer names at most every row of its batch. */
const MAX_ANSWER_BYTES = 1024 * 1024;

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
  readonly #agent: Agent;

  constructor(options: HttpTransportOptions) {
    this.#base = options.url.replace(/\/+$/, '');
    this.#headers = { 'content-type': 'application/json', accept: 'application/json' };
    if (options.token !== undefined) this.#headers.authorization = `Bearer ${options.token}`;
    const ca = options.ca === undefined ? {} : { ca: readFileSync(options.ca, 'utf8') };
    this.#agent = new Agent({ connections: 1, pipelining: 1, connect: { timeout: 15_000, ...ca } });
  }

  async post(path: '/api/v1/sync' | '/api/v2/sync', body: string): Promise<Reply> {
    try {
      // The original's master reads plain bodies only.
      const zipped = path === '/api/v2/sync';
      const payload = zipped ? await compress(body) : Buffer.from(body);
      const timeout = timeoutFor(payload.length);
      const response = await request(this.#base + path, {
        method: 'POST',
        headers: zipped ? { ...this.#headers, 'content-encoding': 'gzip' } : this.#headers,
        body: payload,
        dispatcher: this.#agent,
        headersTimeout: timeout,
        bodyTimeout: timeout,
        signal: AbortSignal.timeout(timeout),
      });
      const retryAfter = response.headers['retry-after'];
      return {
        kind: 'answer',
        status: response.statusCode,
        retryAfterMs: retryAfterMs(Array.isArray(retryAfter) ? retryAfter[0] : retryAfter, Date.now()),
        body: await readBounded(response.body),
      };
    } catch (error) {
      const cause = error as { code?: string; message?: string };
      return { kind: 'failed', reason: cause.code ?? cause.message ?? 'unknown' };
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
