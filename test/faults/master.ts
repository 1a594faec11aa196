import { rmSync, writeFileSync } from 'node:fs';
import type { Reply } from '../../src/agent/sync/outcome.ts';
import { CodedError } from '../../src/common/errors.ts';
import { decodeV1, decodeV2, parseJson } from '../../src/master/ingest/decode.ts';
import { Merger } from '../../src/master/ingest/merger.ts';

/** A real master's commit point (its SQLite file), reached without a socket. */
export class TestMaster {
  readonly path: string;
  readonly #now: () => number;
  merger!: Merger;
  alive = false;

  constructor(path: string, now: () => number) {
    this.path = path;
    this.#now = now;
    this.start();
  }

  start(): void {
    this.merger = new Merger({ path: this.path, now: this.#now, reserveLocal: false });
    this.alive = true;
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.merger.close();
  }

  deliver(path: string, body: string): Reply {
    if (!this.alive) return { kind: 'failed', reason: 'ECONNREFUSED' };
    try {
      const value = parseJson(body);
      const data =
        path === '/api/v2/sync'
          ? this.merger.v2(decodeV2(value), null, false)
          : this.merger.v1(decodeV1(value), null);
      return {
        kind: 'answer',
        status: 200,
        retryAfterMs: 0,
        body: JSON.stringify({ status: 'success', data }),
      };
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return {
        kind: 'answer',
        status: error.status,
        retryAfterMs: 0,
        body: JSON.stringify({ code: error.code }),
      };
    }
  }

  copy(): Buffer {
    return this.merger.db.serialize();
  }

  replaceFile(content: Buffer): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.path + suffix, { force: true });
    writeFileSync(this.path, content);
  }
}
