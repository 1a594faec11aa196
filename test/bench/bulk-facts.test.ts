import { afterAll, expect, it } from 'vitest';
import { BulkFacts } from '../../bench/facts/bulk-facts.ts';
import { generate, HOUR, type Recipe } from '../../bench/facts/generator.ts';
import { lots } from '../../bench/facts/lots.ts';
import { makeWorld } from '../../bench/facts/world.ts';
import { openStore } from '../../bench/facts/writer.ts';
import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { FACT_COLUMNS } from '../../src/domain/fact-columns.ts';
import type { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { MAX_CHUNK } from '../../src/master/store/store.ts';
import { TestDirectory } from '../support/directory.ts';

/** Of its first hours, that is, until an agent that was out of reach is back; connections are open over the end. */
const RECIPE: Recipe = { seed: 7, connections: 12_000, days: 1, firstMinute: 29_000_160 };
const HOURS = 5;
const WORLD = makeWorld(RECIPE.seed);

const directory = new TestDirectory();
afterAll(() => directory.remove());

async function rollUpAll(store: EmbeddedFactStore): Promise<void> {
  while ((await store.rollUp(100_000)).more);
}

/** Of each column of facts its value, or the whole entry of its dictionary. */
const VALUES = FACT_COLUMNS.map(({ name, dictionary }) =>
  dictionary === undefined ? `t."${name}"` : `e_${name}.* EXCLUDE (id)`,
);
const JOINS = FACT_COLUMNS.flatMap(({ name, dictionary }) =>
  dictionary === undefined ? [] : [`JOIN ${dictionary} e_${name} ON e_${name}.id = t."${name}"`],
);

/** All rows of a table with its dictionaries' values in place of their ids. */
async function rowsOf(store: EmbeddedFactStore, table: string, more: string): Promise<unknown[]> {
  return await store.read((run) =>
    run({
      text: `SELECT ${more}, t.bucket, ${VALUES.join(', ')}, t.recovered, sum(up) AS up, sum(down) AS down, sum(conns) AS conns
        FROM ${table} t ${JOINS.join(' ')} GROUP BY ALL ORDER BY ALL`,
      values: [],
    }),
  );
}

const LOTS = 'SELECT rows, state, first_bucket, last_bucket, up, down FROM lots ORDER BY lot';

it('lies in the file as appended lots do', async () => {
  const appended = await openStore({ path: directory.file('appended.duckdb') });
  let hour = 0;
  for (const { lot, facts } of lots(RECIPE, WORLD)) {
    const passed = Math.floor((lot.sealedAt / MINUTE_MS - 1 - RECIPE.firstMinute) / HOUR);
    if (passed > hour) {
      await rollUpAll(appended.store);
      hour = passed;
    }
    if (hour === HOURS) break;
    const chunks = [];
    for (let at = 0; at < facts.length; at += MAX_CHUNK) chunks.push(facts.slice(at, at + MAX_CHUNK));
    await appended.store.append(lot, chunks);
  }

  const bulk = await openStore({ path: directory.file('bulk.duckdb') });
  const writer = await BulkFacts.begin(bulk.connection, RECIPE, WORLD);
  let rows = 0;
  for (const generated of generate(RECIPE, WORLD)) {
    if (generated.from === HOURS * HOUR) break;
    rows += await writer.add(generated);
    await rollUpAll(bulk.store);
  }

  expect(rows).toBeGreaterThan(5000);
  for (const [table, columns] of [
    ['minute', 't.conn, t.lot, t.prev'],
    ['minute_aside', 't.kind, t.conn, t.lot, t.prev'],
    ['half_hour', 't.lot, t.prev'],
    ['half_hour_aside', 't.kind, t.lot, t.prev'],
  ] as const) {
    const found = await rowsOf(bulk.store, table, columns);
    expect(found.length).toBeGreaterThan(100);
    expect(found).toEqual(await rowsOf(appended.store, table, columns));
  }
  const list = (store: EmbeddedFactStore) => store.read((run) => run({ text: LOTS, values: [] }));
  const found = await list(bulk.store);
  expect(found).toEqual(await list(appended.store));
  // Facts that come late are among them.
  expect(found.some((lot) => Number(lot.last_bucket) - Number(lot.first_bucket) >= 100)).toBe(true);
  await appended.close();
  await bulk.close();
}, 180_000);
