import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { fact, lotOf, unattributed } from '../facts.test-support.ts';
import { expectTiersToAgree, rowsOf } from '../tiers.test-support.ts';
import { compactFile } from './compact-file.ts';
import type { EmbeddedFactStore } from './embedded-fact-store.ts';
import { FactsAtRest } from './facts-at-rest.ts';
import { ALL_FACT_TABLES } from './schema.ts';
import { useStoreDirectory } from './store-directory.test-support.ts';

const at = useStoreDirectory();

const HALF_HOUR = 29_000_010;

/** Of all kinds, over both tiers once they are rolled up. */
function facts(lot: number) {
  return Array.from({ length: 40 }, (_, index) => {
    const bucket = HALF_HOUR + lot * 30 + index;
    if (index % 10 === 9) return unattributed('home', bucket, 5000 + index);
    return fact({
      conn: lot * 100 + index,
      kind: index % 5 === 4 ? 1 : 0,
      bucket,
      download: 1000 * lot + index,
      upload: index,
      fields: {
        host: `www.host${index % 4}.example.co.uk`,
        process: `p${index % 3}`,
        destination_port: String(440 + (index % 4)),
        rule: 'Match',
        rule_payload: `list ${index % 2}`,
        chains: index % 2 === 0 ? '["DIRECT"]' : '["Proxy","hk \'1\'"]',
      },
    });
  });
}

async function addLots(store: EmbeddedFactStore, ...lots: number[]): Promise<void> {
  for (const lot of lots) {
    const rows = facts(lot);
    await store.append(lotOf(lot, rows), [rows]);
  }
}

async function rollUpAll(store: EmbeddedFactStore): Promise<void> {
  while ((await store.rollUp(100_000)).more);
}

/** Statements of another program on the file, which no store has open. */
async function change(...statements: string[]): Promise<void> {
  const instance = await DuckDBInstance.create(at.path);
  const connection = await instance.connect();
  for (const statement of statements) await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
}

/** A text, a number and an id. */
const DROPPED = ['process', 'destination_port', 'rule'];

const FORGET = [
  ...ALL_FACT_TABLES.flatMap((table) => DROPPED.map((name) => `ALTER TABLE ${table} DROP COLUMN ${name}`)),
  'ALTER TABLE chain DROP COLUMN node',
  'ALTER TABLE host DROP COLUMN site',
];

async function filled(): Promise<EmbeddedFactStore> {
  const store = await at.open();
  await addLots(store, 1, 2);
  await rollUpAll(store);
  await addLots(store, 3);
  return store;
}

/** A file of which some dimensions are younger, and two of what derives from the entries of dictionaries. */
async function earlierFile(): Promise<void> {
  await (await filled()).stop();
  await change(...FORGET);
}

const all = (columns: string) =>
  ALL_FACT_TABLES.map((table) => `SELECT '${table}' AS t, ${columns} FROM ${table}`).join(' UNION ALL ');
const SUMS = `SELECT t, count(*) AS n, sum(up) AS u, sum(down) AS d, sum(conns) AS c
  FROM (${all('up, down, conns')}) GROUP BY t ORDER BY t`;
const ENTRIES = [
  'SELECT id, host, site FROM host ORDER BY id',
  'SELECT id, chains, provider, "group", node, route FROM chain ORDER BY id',
] as const;

describe('a file from before some dimensions', () => {
  it('gets their columns when it is opened: no value for what is there, all sums as they were', async () => {
    const store = await filled();
    const sums = await rowsOf(store, SUMS);
    expect(sums.map(({ t }) => t)).toEqual([...ALL_FACT_TABLES].sort());
    const entries = await Promise.all(ENTRIES.map((text) => rowsOf(store, text)));
    await store.stop();
    await change(...FORGET);

    const again = await at.open();
    expect(await rowsOf(again, SUMS)).toEqual(sums);
    expect(await rowsOf(again, `SELECT DISTINCT * EXCLUDE (t) FROM (${all(DROPPED.join(', '))})`)).toEqual([
      { process: '', destination_port: 0, rule: 0 },
    ]);
    // What follows from an entry is known of old ones, too.
    expect(await Promise.all(ENTRIES.map((text) => rowsOf(again, text)))).toEqual(entries);
  });

  it('takes new facts with their values, rolls up old and new ones, and can be compacted', async () => {
    await earlierFile();
    const store = await at.open();
    await addLots(store, 4, 5);
    await rollUpAll(store);
    await expectTiersToAgree(store);
    const values = 'SELECT DISTINCT lot > 3 AS fresh, process FROM minute ORDER BY ALL';
    expect(await rowsOf(store, values)).toEqual([
      { fresh: false, process: '' },
      ...['p0', 'p1', 'p2'].map((process) => ({ fresh: true, process })),
    ]);
    const rules = `SELECT DISTINCT r.payload FROM half_hour h JOIN rule r ON r.id = h.rule WHERE h.process <> '' ORDER BY 1`;
    expect(await rowsOf(store, rules)).toEqual([{ payload: 'list 0' }, { payload: 'list 1' }]);
    await store.check();
    await store.stop();
    // Opened once more there is nothing to do; compacted it is the same file.
    const again = await at.open();
    const sums = await rowsOf(again, SUMS);
    await again.stop();
    const target = join(at.directory, 'compact.duckdb');
    await compactFile(() => {}, at.path, target);
    const compact = await at.open({ path: target });
    expect(await rowsOf(compact, SUMS)).toEqual(sums);
    await addLots(compact, 6);
    expect(await rowsOf(compact, values)).toContainEqual({ fresh: true, process: 'p2' });
  });

  it('is not answered from at rest before the master has brought it up to date', async () => {
    await earlierFile();
    await expect(FactsAtRest.open(at.path)).rejects.toMatchObject({
      code: 'file_older',
      message: expect.stringContaining('older than its columns destination_port, rule, process, site, node'),
    });
    await (await at.open()).stop();
    await (await FactsAtRest.open(at.path)).close();
  });

  it('is left as it is where one of its columns is of another kind', async () => {
    await earlierFile();
    await change('ALTER TABLE half_hour ADD COLUMN process INTEGER');
    await expect(at.open()).rejects.toThrow('half_hour.process is INTEGER, not VARCHAR');
    await change('ALTER TABLE half_hour DROP COLUMN process');
    await expect(FactsAtRest.open(at.path)).rejects.toMatchObject({ code: 'file_older' });
  });
});

it('goes on with a file of a program that knows more dimensions, whose columns say nothing of what it adds', async () => {
  const store = await at.open();
  await addLots(store, 1);
  await store.stop();
  await change(
    ...ALL_FACT_TABLES.map((table) => `ALTER TABLE ${table} ADD COLUMN later VARCHAR DEFAULT ''`),
    "UPDATE minute SET later = 'known'",
  );
  const again = await at.open();
  await addLots(again, 2);
  await rollUpAll(again);
  await expectTiersToAgree(again);
  const later = 'SELECT DISTINCT lot, later FROM minute ORDER BY lot';
  expect(await rowsOf(again, later)).toEqual([
    { lot: 1, later: 'known' },
    { lot: 2, later: '' },
  ]);
  expect(await rowsOf(again, 'SELECT DISTINCT later FROM half_hour')).toEqual([{ later: '' }]);
});
