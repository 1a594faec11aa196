import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fact, lotOf } from '../facts.test-support.ts';
import type { SqlQuery } from '../store.ts';
import { useStoreDirectory } from './store-directory.test-support.ts';

const at = useStoreDirectory();

const HEAVY = {
  text: 'SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7',
  values: [],
};
const ONE = { text: 'SELECT 1 AS one', values: [] };

describe('safety', () => {
  it.each([
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM '/etc/passwd.csv'",
    "COPY (SELECT 1) TO '/tmp/facts-out.csv'",
    "ATTACH '/tmp/facts-other.duckdb'",
    'INSTALL httpfs',
    'LOAD httpfs',
    'SET threads = 1',
    "SET memory_limit = '8GB'",
    'SET enable_external_access = true',
    'RESET lock_configuration',
    'DELETE FROM minute',
    'CREATE TABLE t (a INTEGER)',
  ])('refuses %s', async (text) => {
    const store = await at.open();
    await expect(store.read((run) => run({ text, values: [] }))).rejects.toThrow();
    expect(await store.read((run) => run(ONE))).toEqual([{ one: 1 }]);
  });

  it('passes parameters as values', async () => {
    const store = await at.open();
    const values = ["'; DROP TABLE minute; --", 5, 2 ** 40, 7n, true, null, [1, 2], ['a']] as const;
    const text = `SELECT $1 AS a, $2 AS b, $3 AS c, $4::VARCHAR AS d, $5 AS e, $6 AS f, len($7::INTEGER[]) AS g, $8[1] AS h,
      typeof($2) AS t`;
    expect(await store.read((run) => run({ text, values }))).toEqual([
      { a: values[0], b: 5, c: BigInt(2 ** 40), d: '7', e: true, f: null, g: 2n, h: 'a', t: 'INTEGER' },
    ]);
  });
});

describe('limits of questions', () => {
  it('ends a question at its time limit and goes on', async () => {
    const store = await at.open({ readConcurrency: 1 });
    const begun = performance.now();
    await expect(store.read((run) => run(HEAVY), { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'query_timeout',
    });
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(await store.read((run) => run(ONE))).toEqual([{ one: 1 }]);
  });

  it('ends a question when its asker is gone, running or waiting', async () => {
    const store = await at.open({ readConcurrency: 1 });
    const gone = new AbortController();
    const running = store.read((run) => run(HEAVY), { signal: gone.signal });
    const waiting = store.read((run) => run(ONE), { signal: gone.signal });
    const patient = store.read((run) => run(ONE));
    setTimeout(() => gone.abort(new Error('gone')), 50);
    await Promise.all([running, waiting].map((read) => expect(read).rejects.toThrow('gone')));
    expect(await patient).toEqual([{ one: 1 }]);
  });

  it('lets a few wait, and sends the rest away', async () => {
    const store = await at.open({ readConcurrency: 1, readQueue: 2 });
    const gone = new AbortController();
    const heavy = store.read((run) => run(HEAVY), { signal: gone.signal });
    const waiting = [store.read((run) => run(ONE)), store.read((run) => run(ONE))];
    await expect(store.read((run) => run(ONE))).rejects.toMatchObject({
      code: 'too_many_requests',
      message:
        '2 questions with at most 1000000 facts to read wait already; 2 questions are answered at once, 1 of them with over 1000000',
      retryAfter: 2,
    });
    gone.abort(new Error('gone'));
    await expect(heavy).rejects.toThrow('gone');
    expect(await Promise.all(waiting)).toEqual([[{ one: 1 }], [{ one: 1 }]]);
  });

  it('answers who reads little beside who reads much, and those one after the other', async () => {
    const store = await at.open({ readConcurrency: 2, readQueue: 1 });
    const gone = new AbortController();
    const readMuch = (query: SqlQuery, signal?: AbortSignal) =>
      store.read(async (run, admit) => {
        await run(ONE);
        await admit(50_000_000);
        return await run(query);
      }, signal && { signal });
    const heavy = readMuch(HEAVY, gone.signal);
    const order: string[] = [];
    await store.read((run) => run(ONE));
    const next = readMuch(ONE).then(() => order.push('much'));
    for (let i = 0; i < 20; i++) await store.read((run) => run(ONE)).then(() => order.push('little'));
    expect(order).toEqual(new Array(20).fill('little'));
    await expect(readMuch(ONE)).rejects.toMatchObject({
      code: 'too_many_requests',
      message: expect.stringMatching(
        /^1 questions with over 1000000 facts to read wait already; 2 questions/,
      ),
    });
    gone.abort(new Error('gone'));
    await expect(heavy).rejects.toThrow('gone');
    await next;
    expect(await readMuch(ONE)).toEqual([{ one: 1 }]);
  });

  it('lets who reads little go first, but not for ever', async () => {
    const store = await at.open({ readConcurrency: 3 });
    const order: string[] = [];
    const readMuch = () =>
      store.read(async (run, admit) => {
        await admit(50_000_000);
        await run(ONE);
      });
    const end = Promise.withResolvers<void>();
    const little = store.read(() => end.promise).then(() => order.push('little'));
    const much = readMuch().then(() => order.push('much'));
    setTimeout(end.resolve, 50);
    await Promise.all([little, much]);
    expect(order).toEqual(['little', 'much']);

    const gone = new AbortController();
    const endless = store.read((run) => run(HEAVY), { signal: gone.signal });
    endless.catch(() => order.push('endless'));
    await readMuch();
    expect(order).toEqual(['little', 'much']);
    gone.abort(new Error('gone'));
    await expect(endless).rejects.toThrow('gone');
  });

  it('fails only the question that needs too much memory', async () => {
    const store = await at.open({ memoryLimitMb: 64 });
    const text = "SELECT list(range::VARCHAR || repeat('x', 1000)) FROM range(3000000)";
    await expect(store.read((run) => run({ text, values: [] }))).rejects.toMatchObject({
      code: 'query_too_large',
    });
    expect(await store.read((run) => run(ONE))).toEqual([{ one: 1 }]);
  });

  it('appends while a question runs', async () => {
    const store = await at.filled(100);
    const gone = new AbortController();
    const heavy = store.read((run) => run(HEAVY), { signal: gone.signal });
    const facts = [fact({ conn: 9999, download: 1 })];
    expect(await store.append(lotOf(2, facts), [facts])).toBe(true);
    gone.abort(new Error('gone'));
    await expect(heavy).rejects.toThrow('gone');
  });

  it('stops in the middle of questions, twice if asked', async () => {
    const store = await at.filled(10);
    const heavy = store.read((run) => run(HEAVY));
    heavy.catch(() => undefined);
    await Promise.all([store.stop(), store.stop()]);
    await expect(heavy).rejects.toMatchObject({ code: 'not_ready' });
    await expect(store.lots(1)).rejects.toMatchObject({ code: 'not_ready' });
    expect(existsSync(`${at.path}.wal`)).toBe(false);
  });
});
