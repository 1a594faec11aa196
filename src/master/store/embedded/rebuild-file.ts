import { existsSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { LongTask } from '../../../common/progress.ts';
import type { Rebuilt, RecordsSource } from '../rebuild.ts';
import type { Fact } from '../store.ts';
import { wholeFromKey } from './coverage.ts';
import { insertHole } from './cut.ts';
import { putMeta } from './meta.ts';
import { moveStaged, tokenNumber } from './move-lot.ts';
import { loadDuckDB } from './native.ts';
import { openFacts } from './open.ts';
import { insertHalfHours } from './rollup.ts';
import { FACT_TABLES, TIERS } from './schema.ts';
import { Stage } from './stage.ts';
import { transaction } from './transaction.ts';

/** Chunks of a thousand facts that become half hours together. */
const CHUNKS = 50;
/** Rounds between two checkpoints, so that the log of a new file does not outgrow it. */
const ROUNDS_PER_CHECKPOINT = 10;

/** Sums of what was given, against which the file is held at the end. */
interface Given {
  facts: number;
  download: bigint;
  upload: bigint;
}

/** What the lots held whose facts are made anew. */
interface Lost extends Omit<Given, 'facts'> {
  lots: number;
  first: number;
  last: number;
  firstBucket: number;
  lastBucket: number;
}

/** `RebuildFacts` for a DuckDB file, as `path`. */
export async function rebuildFile(path: string, source: RecordsSource, task: LongTask): Promise<Rebuilt> {
  if (existsSync(path)) throw new Error(`${path} exists`);
  const file = await openFacts(await loadDuckDB(), {
    path,
    memoryLimitMb: 256,
    threads: 2,
    tempDirectory: `${path}.tmp`,
  });
  try {
    const rebuilt = await fill(file.writer, source, task);
    await file.writer.run('CHECKPOINT');
    return rebuilt;
  } finally {
    file.writer.closeSync();
    file.close();
  }
}

async function fill(writer: DuckDBConnection, source: RecordsSource, task: LongTask): Promise<Rebuilt> {
  const lost = await insertLots(writer, source, task.signal);
  const given: Given = { facts: 0, download: 0n, upload: 0n };
  if (lost.lots > 0) await insertFacts(writer, source, lost.last, given, task);
  const rows = await expectGiven(writer, given);
  const missing = { download: lost.download - given.download, upload: lost.upload - given.upload };
  await transaction(writer, async () => {
    await putMeta(writer, 'store_id', source.storeId());
    if (lost.lots === 0) return;
    await writer.run('INSERT INTO rollups (lot, made_at) VALUES ($1::INTEGER, $2::BIGINT)', [
      lost.last,
      BigInt(Date.now()),
    ]);
    // Half hours of all these lots stand under the last one: a cut below it takes all of them.
    await putMeta(writer, 'floor', lost.last);
    await putMeta(writer, wholeFromKey('minute'), lost.lastBucket + 1);
    if (missing.download === 0n && missing.upload === 0n) return;
    await insertHole(writer, {
      firstLot: lost.first,
      lastLot: lost.last,
      from: lost.firstBucket,
      to: lost.lastBucket + 1,
      down: missing.download,
      up: missing.upload,
      reason: 'rebuilt',
    });
  });
  return { rows, download: given.download, upload: given.upload, lots: lost.lots, missing };
}

/** With their tokens, so that the next start knows them, and knows them again when older records are put back. */
async function insertLots(
  writer: DuckDBConnection,
  source: RecordsSource,
  signal: AbortSignal,
): Promise<Lost> {
  const lost: Lost = {
    lots: 0,
    first: 0,
    last: 0,
    firstBucket: Number.POSITIVE_INFINITY,
    lastBucket: 0,
    download: 0n,
    upload: 0n,
  };
  const appender = await writer.createAppender('lots');
  const now = BigInt(Date.now());
  for (const lots of source.lots()) {
    signal.throwIfAborted();
    for (const lot of lots) {
      appender.appendInteger(lot.lot);
      appender.appendUBigInt(tokenNumber(lot.token));
      appender.appendVarchar('ok');
      appender.appendInteger(lot.rows);
      appender.appendBigInt(now);
      appender.appendInteger(lot.firstBucket);
      appender.appendInteger(lot.lastBucket);
      appender.appendBigInt(BigInt(lot.upload));
      appender.appendBigInt(BigInt(lot.download));
      appender.endRow();
      if (lost.lots === 0) lost.first = lot.lot;
      lost.lots++;
      lost.last = lot.lot;
      lost.firstBucket = Math.min(lost.firstBucket, lot.firstBucket);
      lost.lastBucket = Math.max(lost.lastBucket, lot.lastBucket);
      lost.download += BigInt(lot.download);
      lost.upload += BigInt(lot.upload);
    }
    await new Promise(setImmediate);
  }
  appender.closeSync();
  return lost;
}

async function insertFacts(
  writer: DuckDBConnection,
  source: RecordsSource,
  lot: number,
  given: Given,
  { signal, report }: LongTask,
): Promise<void> {
  const total = source.bytes();
  let waiting: Fact[][] = [];
  let rounds = 0;
  for (const { facts, bytes } of source.facts()) {
    signal.throwIfAborted();
    report({ step: 'making half hours of records', done: bytes, total });
    for (const { download, upload } of facts) {
      given.facts++;
      given.download += BigInt(download);
      given.upload += BigInt(upload);
    }
    waiting.push(facts);
    if (waiting.length < CHUNKS) continue;
    await makeHalfHours(writer, lot, waiting);
    waiting = [];
    if (++rounds % ROUNDS_PER_CHECKPOINT === 0) await writer.run('CHECKPOINT');
  }
  await makeHalfHours(writer, lot, waiting);
}

/** Minutes are only the way: a record does not know them. */
async function makeHalfHours(writer: DuckDBConnection, lot: number, chunks: Fact[][]): Promise<void> {
  const stage = await Stage.begin(writer);
  try {
    for (const facts of chunks) await stage.add(facts);
  } finally {
    stage.close();
  }
  await transaction(writer, async () => {
    await moveStaged(writer, lot, stage);
    await insertHalfHours(writer, [lot - 1, lot]);
    for (const table of Object.values(FACT_TABLES)) await writer.run(`DELETE FROM ${table}`);
  });
}

/** Every byte and every connection, in each half hour once; returns the number of rows that hold them. */
async function expectGiven(writer: DuckDBConnection, given: Given): Promise<number> {
  const { counted, aside } = TIERS.half_hour;
  const found = await writer.runAndReadAll(
    `SELECT count(*), coalesce(sum(down), 0)::HUGEINT, coalesce(sum(up), 0)::HUGEINT, coalesce(sum(conns), 0)
     FROM (SELECT down, up, conns FROM ${counted} UNION ALL SELECT down, up, conns FROM ${aside})`,
  );
  const [rows, download, upload, conns] = (found.getRows()[0] ?? []).map((value) => BigInt(value as bigint));
  if (download !== given.download || upload !== given.upload || conns !== BigInt(given.facts)) {
    throw new Error(`half hours sum to ${download}/${upload} ×${conns}, not to what the records hold`);
  }
  return Number(rows);
}
