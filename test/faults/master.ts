import { rmSync, writeFileSync } from 'node:fs';
import type { Reply } from '../../src/agent/sync/outcome.ts';
import { CodedError } from '../../src/common/errors.ts';
import { decodeV1, decodeV2, parseJson } from '../../src/master/ingest/decode.ts';
import { Merger } from '../../src/master/ingest/merger.ts';
import type { PrunePart } from '../../src/master/ingest/record-retention.ts';
import type { SyncAnswer } from '../../src/protocol/v2.ts';

/** A real master's commit point (its SQLite file), reached without a socket. */
export class TestMaster {
  readonly path: string;
  readonly #now: () => number;
  merger!: Merger;
  alive = false;
  /** It is one of the original's, which knows no protocol 2. */
  onlyV1 = false;
  /** Most rows that it asks for in one batch. */
  maxRows = 5000;

  constructor(path: string, now: () => number) {
    this.path = path;
    this.#now = now;
    this.start();
  }

  start(): void {
    this.merger = new Merger({ path: this.path, now: this.#now, reserveLocal: false });
    this.alive = true;
    // In the file of the records themselves, so that it is restored with them.
    this.merger.db.exec(`CREATE TABLE IF NOT EXISTS test_pruned AS SELECT * FROM connections LIMIT 0;
      CREATE TABLE IF NOT EXISTS test_dropped AS SELECT * FROM pending_facts LIMIT 0`);
  }

  /** Flushed lots are not kept any longer; the schedule remembers what they held. */
  forgetLots(): void {
    const { db } = this.merger;
    db.transaction(() => {
      const flushed = "SELECT lot FROM lots WHERE state = 'flushed'";
      db.exec(`INSERT INTO test_dropped SELECT * FROM pending_facts WHERE lot IN (${flushed})`);
      db.exec(`DELETE FROM pending_facts WHERE lot IN (${flushed})`);
      db.exec("UPDATE lots SET state = 'dropped' WHERE state = 'flushed'");
    })();
  }

  /**
   * A round of retention; the schedule remembers what went. Where no fact store takes the lots, they are taken for flushed,
   * because a record stays as long as facts of it are kept.
   */
  prune(keepMs: number, hasFactStore: boolean): void {
    const { merger } = this;
    const { db } = merger;
    if (!hasFactStore) {
      merger.seal();
      db.exec("UPDATE lots SET state = 'flushed' WHERE state = 'sealed'");
    }
    this.forgetLots();
    db.exec('INSERT INTO test_pruned SELECT * FROM connections');
    let part: PrunePart | null = merger.beginPruning(keepMs);
    while (part !== null) part = merger.pruneSome(part).next;
    db.exec('DELETE FROM test_pruned WHERE num IN (SELECT num FROM connections)');
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.merger.close();
  }

  deliver(path: string, body: string): Reply {
    if (!this.alive) return { kind: 'failed', reason: 'ECONNREFUSED' };
    if (this.onlyV1 && path === '/api/v2/sync') {
      return { kind: 'answer', status: 404, retryAfterMs: 0, body: '' };
    }
    try {
      const value = parseJson(body);
      const data =
        path === '/api/v2/sync'
          ? this.#small(this.merger.v2(decodeV2(value), null, false))
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

  #small(answer: SyncAnswer): SyncAnswer {
    return { ...answer, limits: { ...answer.limits, rows: Math.min(answer.limits.rows, this.maxRows) } };
  }

  copy(): Buffer {
    return this.merger.db.serialize();
  }

  replaceFile(content: Buffer): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.path + suffix, { force: true });
    writeFileSync(this.path, content);
  }
}
