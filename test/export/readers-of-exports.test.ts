import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../src/common/errors.ts';
import { type ExportQuestion, ExportService } from '../../src/master/export/export-service.ts';
import type { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { useStoreDirectory } from '../../src/master/store/embedded/store-directory.test-support.ts';
import { rowsOf } from '../../src/master/store/tiers.test-support.ts';
import { v1Body, v1Record } from '../support/bodies.ts';
import { TestDirectory } from '../support/directory.ts';
import { waitFor } from '../support/wait.ts';
import { WholeMaster } from '../support/whole-master.ts';

const at = useStoreDirectory();
const FACTS: ExportQuestion = { what: 'facts', facts: { tz: 'UTC', filter: null } };
const NEVER = new AbortController().signal;

function serviceOf(store: EmbeddedFactStore, limits = {}): ExportService {
  const none = () => Promise.reject(new Error('not asked here'));
  return new ExportService({
    facts: store,
    records: { exportConnections: none },
    traffic: { answer: none },
    freshness: { flushNow: async () => {}, state: { freshTo: 0 } },
    limits,
  });
}

const linesIn = (text: Uint8Array): number => text.filter((byte) => byte === 0x0a).length;

describe('an export', () => {
  it('reads no further than its reader: rows in flight are bounded', async () => {
    const store = await at.filled(20_000);
    const taken: number[] = [];
    const opening = store.openExport.bind(store);
    store.openExport = async (signal) => {
      const opened = await opening(signal);
      const bytes = opened.bytes.bind(opened);
      opened.bytes = async function* (...asked) {
        for await (const lines of bytes(...asked)) {
          taken.push(linesIn(lines));
          yield lines;
        }
      };
      return opened;
    };
    const opened = await serviceOf(store).open(FACTS, 'ndjson', NEVER);
    opened.body.once('readable', () => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    // The chunk that is being written, and the one that a stream reads ahead.
    expect(taken.reduce((sum, rows) => sum + rows, 0)).toBeLessThanOrEqual(2 * 2048);
    let lines = 0;
    for await (const piece of opened.body) {
      expect((piece as Buffer).length).toBeLessThan(70_000);
      lines += linesIn(piece as Buffer);
    }
    expect(lines).toBe(20_000);
    await opened.close();
  });

  it('lets others ask while its reader sleeps, and is one of two at most', async () => {
    const store = await at.filled(20_000);
    const service = serviceOf(store);
    const sleeping = await Promise.all([
      service.open(FACTS, 'csv', NEVER),
      service.open(FACTS, 'ndjson', NEVER),
    ]);
    await expect(service.open(FACTS, 'csv', NEVER)).rejects.toMatchObject({
      code: 'too_many_requests',
      retryAfter: 30,
    });
    const answers = Array.from({ length: 8 }, () =>
      rowsOf(store, 'SELECT count(*)::INTEGER AS n FROM minute'),
    );
    expect(await Promise.all(answers)).toEqual(answers.map(() => [{ n: 20_000 }]));
    for (const opened of sleeping) await opened.close();
    expect(service.running).toBe(0);
    await (await service.open(FACTS, 'csv', NEVER)).close();
  });

  it('ends when its reader takes nothing for too long', async () => {
    const store = await at.filled(20_000);
    const service = serviceOf(store, { idleMs: 50 });
    const { body, close } = await service.open(FACTS, 'ndjson', NEVER);
    body.once('readable', () => {});
    const error = await new Promise<Error>((resolve) => body.once('error', resolve));
    expect(error).toMatchObject({ code: 'timeout' });
    await close();
    expect(service.running).toBe(0);
    expect(await rowsOf(store, 'SELECT 1::INTEGER AS one')).toEqual([{ one: 1 }]);
  });

  it('ends at its time limit, and tells so when nothing has left yet', async () => {
    const store = await at.filled(20_000);
    const service = serviceOf(store, { timeMs: 1 });
    await expect(service.open(FACTS, 'parquet', NEVER)).rejects.toMatchObject({ code: 'query_timeout' });
    expect(service.running).toBe(0);
  });

  it('ends at once when its asker leaves, with its file', async () => {
    const store = await at.filled(20_000);
    const service = serviceOf(store);
    const gone = new AbortController();
    const opening = service.open(FACTS, 'parquet', gone.signal);
    gone.abort(new CodedError('timeout', 'gone'));
    await expect(opening).rejects.toMatchObject({ message: 'gone' });
    expect(service.running).toBe(0);
    expect(readdirSync(`${at.path}.tmp`)).toEqual([]);
  });

  it('leaves no file behind, not even one of a process that was killed', async () => {
    const store = await at.filled(5000);
    const left = `${at.path}.tmp/export-00000000-0000-4000-8000-000000000000.parquet`;
    const opened = await serviceOf(store).open(FACTS, 'parquet', NEVER);
    expect(readdirSync(`${at.path}.tmp`)).toHaveLength(1);
    opened.body.resume();
    await opened.close();
    expect(readdirSync(`${at.path}.tmp`)).toEqual([]);
    writeFileSync(left, 'x');
    await store.stop();
    await (await at.open()).stop();
    expect(existsSync(left)).toBe(false);
  });

  it('makes no file where that would take the last space', async () => {
    const filled = await at.filled(5000);
    await filled.stop();
    const store = await at.open({ exportSpareBytes: Number.MAX_SAFE_INTEGER });
    const service = serviceOf(store);
    await expect(service.open(FACTS, 'parquet', NEVER)).rejects.toMatchObject({ code: 'disk_full' });
    expect(readdirSync(`${at.path}.tmp`)).toEqual([]);
    expect(service.running).toBe(0);
  });

  it('ends with the store', async () => {
    const store = await at.filled(20_000);
    const opened = await serviceOf(store).open(FACTS, 'ndjson', NEVER);
    opened.body.on('error', () => {});
    await store.stop();
    await opened.close();
  });
});

describe('a client', () => {
  const directory = new TestDirectory();
  let master: WholeMaster;
  afterEach(async () => {
    await master.stop();
    directory.remove();
  });

  it('that stops reading, and one that leaves, harm nobody', async () => {
    master = await new WholeMaster(directory.path, { exportLimits: { idleMs: 500 } }).start();
    for (let batch = 0; batch < 6; batch++) {
      const records = Array.from({ length: 4000 }, (_, index) =>
        v1Record(`r${batch}-${index}`, 1, {
          host: `host-${index}.example.com`,
          rule_payload: 'x'.repeat(900),
        }),
      );
      expect((await master.post('v1', v1Body('old', records))).status).toBe(200);
    }
    const headers = { authorization: `Bearer ${WholeMaster.TOKEN}` };
    const path = `${master.url}/api/v1/export?format=csv&what=facts`;
    const stalled = request(path, { headers }, (response) => response.pause());
    stalled.on('error', () => {});
    const answered = new Promise((resolve) => stalled.once('response', resolve));
    stalled.end();
    await answered;
    const leaving = new AbortController();
    const left = await fetch(path, { headers, signal: leaving.signal });
    await left.body?.getReader().read();
    leaving.abort();
    expect((await master.get('/stats?type=summary')).body.data.count).toBe(24_000);
    // Both slots are free again: nobody who left or sleeps holds one.
    await waitFor('two exports at once', async () => {
      const both = await Promise.all([fetch(path, { headers }), fetch(path, { headers })]);
      const texts = await Promise.all(both.map((answer) => answer.text()));
      return texts.every((text) => text.split('\r\n').length === 24_002);
    });
    stalled.destroy();
  });
});
