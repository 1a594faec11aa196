/**
 * Appends lots, rolls them up, drops and merges, without end, until it is killed: `tidy-forever.ts <directory>`. Says
 * on a line what it begins: `append`, `roll up`, `retain`.
 */
import { join } from 'node:path';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { bucketOf, tidyLot } from './tidy-lots.ts';

const store = new EmbeddedFactStore({
  path: join(process.argv[2] ?? '.', 'f.duckdb'),
  threads: 1,
  lotsPerCheckpoint: 7,
});
await store.start();

async function begin(what: string): Promise<void> {
  await new Promise<void>((resolve) => process.stdout.write(`${what}\n`, () => resolve()));
}

const newest = (await store.lots(1))[0]?.lot ?? 0;
for (let number = newest + 1; ; number++) {
  await begin('append');
  const { lot, facts } = tidyLot(number);
  await store.append(lot, [facts]);
  if (number % 3 !== 0) continue;
  await begin('roll up');
  while ((await store.rollUp(500)).more);
  if (number % 6 !== 0) continue;
  await begin('retain');
  const { watermark } = await store.coverage();
  const day = Math.floor(bucketOf(number) / 1440) * 1440;
  await store.dropBefore('minute', day - 2 * 1440, watermark);
  await store.dropBefore('half_hour', day - 8 * 1440, watermark);
  while ((await store.mergeFragments(day, watermark)).more);
  await store.reclaim();
}
