import { createLogger } from '../../src/common/logger.ts';
import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { Merger } from '../../src/master/ingest/merger.ts';
import { tokenText } from '../../src/master/store/embedded/move-lot.ts';
import { TIERS } from '../../src/master/store/embedded/schema.ts';
import { Maintenance } from '../../src/master/store/maintenance.ts';
import type { RunQuery } from '../../src/master/store/store.ts';
import { BulkFacts } from './bulk-facts.ts';
import { type Books, BulkRecords } from './bulk-records.ts';
import { DAY, generate, HOUR, type Recipe } from './generator.ts';
import { makeOriginal } from './original.ts';
import type { World } from './world.ts';
import { openStore } from './writer.ts';

/** What a master keeps unless told otherwise (`--minute-retention-days`, `--half-hour-retention-days`). */
const RETENTION = { days: { minute: 14, half_hour: 400 }, budget: null };
/** More than a master has: nothing is measured here, but thousands of hours are loaded. */
const MEMORY_LIMIT_MB = 1024;
/** How long after the hour a master keeps its facts in order. */
const PAST_HOUR = 5;

export interface LoadOptions {
  recipe: Recipe;
  world: World;
  records: string;
  facts: string;
  /** The same data in the original's schema; null for none. */
  original: string | null;
  /** Whether the records have their connections; without them there are the books alone. */
  withRecords: boolean;
  progress?: (done: number) => void;
}

export interface Loaded {
  /** Facts that came, of which the minute tier keeps the newest. */
  facts: number;
  seconds: { facts: number; records: number };
}

/** Makes a master's two stores as they would stand if the generated traffic had come in while it ran. */
export async function load(options: LoadOptions): Promise<Loaded> {
  const merger = new Merger({ path: options.records, reserveLocal: false });
  const storeId = merger.lots.storeId();
  merger.close();
  let begun = performance.now();
  const seconds = () => {
    const passed = (performance.now() - begun) / 1000;
    begun = performance.now();
    return passed;
  };
  const { facts, books } = await loadFacts(options, storeId);
  const factSeconds = seconds();
  loadRecords(options, books);
  return { facts, seconds: { facts: factSeconds, records: seconds() } };
}

async function loadFacts(
  { recipe, world, facts: path, progress }: LoadOptions,
  storeId: string,
): Promise<{ facts: number; books: Books }> {
  let clock = recipe.firstMinute * MINUTE_MS;
  const now = () => clock;
  const { store, connection, close } = await openStore({ path, memoryLimitMb: MEMORY_LIMIT_MB, now });
  await store.adopt(storeId);
  const maintenance = new Maintenance({ facts: store, retention: RETENTION, log: createLogger('warn'), now });
  const bulk = await BulkFacts.begin(connection, recipe, world);
  const hours = recipe.days * (DAY / HOUR);
  let facts = 0;
  for (const hour of generate(recipe, world)) {
    facts += await bulk.add(hour);
    progress?.(hour.to / HOUR / hours);
    // The end of the data is the present: its last hour is not yet in the coarse tier.
    if (hour.to === recipe.days * DAY) break;
    clock = (recipe.firstMinute + hour.to + PAST_HOUR) * MINUTE_MS;
    await maintenance.run();
    if (maintenance.state.error !== null) throw new Error(maintenance.state.error);
  }
  await bulk.checkpoint();
  const books = await store.read((run) => readBooks(run), { timeoutMs: 600_000 });
  await close();
  return { facts, books };
}

/** Core totals are what was attributed and what was not: by the minute where minutes are kept, else by half hours. */
async function readBooks(run: RunQuery): Promise<Books> {
  const lots = await run({
    text: 'SELECT lot, token, first_bucket, last_bucket, rows, down, up, flushed_at FROM lots ORDER BY lot',
    values: [],
  });
  const [cut = {}] = await run({
    text: `SELECT coalesce(min(bucket), 0)::INTEGER AS at FROM ${TIERS.minute.counted} WHERE bucket >= coalesce(
      (SELECT value::INTEGER FROM meta WHERE key = 'whole_from_minute'), 0)`,
    values: [],
  });
  const side = (tier: keyof typeof TIERS, where: string) => `
    SELECT agent, bucket, up, down FROM ${TIERS[tier].counted} WHERE ${where}
    UNION ALL SELECT agent, bucket, up, down FROM ${TIERS[tier].aside} WHERE kind = 2 AND ${where}`;
  const totals = await run({
    text: `SELECT agent, bucket, sum(down)::BIGINT AS down, sum(up)::BIGINT AS up
      FROM (${side('minute', 'bucket >= $1')} UNION ALL ${side('half_hour', 'bucket < $1')}) GROUP BY ALL ORDER BY ALL`,
    values: [Number(cut.at)],
  });
  return {
    lots: lots.map((row) => [
      Number(row.lot),
      tokenText(row.token as bigint),
      Number(row.first_bucket),
      Number(row.last_bucket),
      Number(row.rows),
      Number(row.down),
      Number(row.up),
      Number(row.flushed_at),
    ]),
    totals: totals.map((row) => [String(row.agent), Number(row.bucket), Number(row.down), Number(row.up)]),
  };
}

function loadRecords({ recipe, world, records, original, withRecords }: LoadOptions, books: Books): void {
  if (original !== null) makeOriginal(original);
  const bulk = new BulkRecords(recipe, world, { records, original });
  if (withRecords || original !== null) for (const hour of generate(recipe, world)) bulk.add(hour);
  bulk.finish(books);
  bulk.close();
}
