import type { Reply } from '../agent/sync/outcome.ts';
import type { Transport } from '../agent/sync/transport.ts';
import { CodedError } from '../common/errors.ts';
import type { Ingest } from '../master/ingest/ingest.ts';

/**
 * Delivers in process, for the agent inside a master: the same requests and the same answers as over HTTP, so that
 * there is no second path.
 */
export class LocalTransport implements Transport {
  readonly #ingest: Pick<Ingest, 'v1' | 'v2'>;
  readonly #local: boolean;

  constructor(ingest: Pick<Ingest, 'v1' | 'v2'>, local: boolean) {
    this.#ingest = ingest;
    this.#local = local;
  }

  async post(path: '/api/v1/sync' | '/api/v2/sync', body: string): Promise<Reply> {
    const delivery = { body: Buffer.from(body), gzip: false, boundAgent: null, local: this.#local };
    try {
      const data =
        path === '/api/v2/sync' ? await this.#ingest.v2(delivery) : await this.#ingest.v1(delivery);
      return {
        kind: 'answer',
        status: 200,
        retryAfterMs: 0,
        body: JSON.stringify({ status: 'success', data }),
      };
    } catch (error) {
      if (!(error instanceof CodedError)) return { kind: 'failed', reason: (error as Error).message };
      const { code, message, retryAfter = 0 } = error;
      const text = JSON.stringify({ status: 'error', code, message });
      return { kind: 'answer', status: error.status, retryAfterMs: retryAfter * 1000, body: text };
    }
  }

  async close(): Promise<void> {}
}
