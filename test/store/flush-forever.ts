/** Flushes lots without end, until it is killed: `flush-forever.ts <directory>`; a line for each confirmed lot. */
import { join } from 'node:path';
import { silentLogger } from '../../src/common/logger.ts';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { LotFlusher } from '../../src/master/store/flusher.ts';
import { LotsByNumber } from './lots-by-number.ts';

const directory = process.argv[2] ?? '.';
const source = new LotsByNumber(join(directory, 'confirmed'));
const confirm = source.flushed.bind(source);
source.flushed = async (lot) => {
  await confirm(lot);
  process.stdout.write(`${lot}\n`);
};
const facts = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 1, lotsPerCheckpoint: 3 });
await facts.start();
await new LotFlusher({ source, facts, log: silentLogger() }).start();
