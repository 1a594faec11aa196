import type { Reply } from '../../src/agent/sync/outcome.ts';
import type { Transport } from '../../src/agent/sync/transport.ts';
import { CodedError } from '../../src/common/errors.ts';
import { decodeV1, decodeV2, parseJson } from '../../src/master/ingest/decode.ts';
import { Merger } from '../../src/master/ingest/merger.ts';

export type Fault = 'none' | 'lost' | 'answer-lost' | { status: number };

/** A master's commit point on its real file, without a socket before it; requests and answers can get lost. */
export class DirectMaster {
  readonly merger: Merger;
  /** What becomes of the n-th request. */
  fault: (request: number, path: string, body: string) => Fault = () => 'none';
  #requests = 0;

  constructor(path: string, now: () => number) {
    this.merger = new Merger({ path, now, reserveLocal: false });
  }

  deliver(path: string, body: string): Reply {
    try {
      const value = parseJson(body);
      const data =
        path === '/api/v2/sync'
          ? this.merger.v2(decodeV2(value), null, false)
          : this.merger.v1(decodeV1(value), null);
      return answer(200, { status: 'success', data });
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return answer(error.status, { code: error.code, message: error.message });
    }
  }

  transport(): Transport {
    return {
      post: async (path, body) => {
        const fault = this.fault(this.#requests++, path, body);
        if (fault === 'lost') return { kind: 'failed', reason: 'ECONNREFUSED' };
        if (typeof fault === 'object') return answer(fault.status, {});
        const reply = this.deliver(path, body);
        return fault === 'none' ? reply : { kind: 'failed', reason: 'ECONNRESET' };
      },
      close: async () => {},
    };
  }

  close(): void {
    this.merger.close();
  }
}

function answer(status: number, body: object): Reply {
  return { kind: 'answer', status, retryAfterMs: 0, body: JSON.stringify(body) };
}
