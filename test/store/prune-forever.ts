/**
 * Delivers, flushes and removes records, and makes core totals coarse, without end, until it is killed:
 * `prune-forever.ts <database>`. Says on a line what it begins: `deliver`, `prune`, `keep totals`. A day passes from one
 * delivery to the next.
 */
import { Merger } from '../../src/master/ingest/merger.ts';
import type { PrunePart } from '../../src/master/ingest/record-retention.ts';
import type { TotalsPart } from '../../src/master/ingest/totals-retention.ts';
import type { SyncRequest } from '../../src/protocol/v2.ts';
import { connectionRow, v2Body } from '../support/bodies.ts';

const DAY = 1440;
const KEPT_DAYS = 7;
const BEGIN = 20_000 * DAY;
const CONNECTIONS = 1500;

let day = 0;
const merger = new Merger({
  path: process.argv[2] ?? 'master.db',
  now: () => (BEGIN + day * DAY) * 60_000,
  reserveLocal: false,
});
day = merger.db.prepare('SELECT count(*) FROM streams').pluck().get() as number;

async function begin(what: string): Promise<void> {
  await new Promise<void>((resolve) => process.stdout.write(`${what}\n`, () => resolve()));
}

/** A journal of its own for each day, so that the file says which day it is. */
function deliver(): void {
  const ids = Array.from({ length: CONNECTIONS }, (_, index) => `c-${day}-${index}`);
  const minute = BEGIN + day * DAY;
  const request = v2Body(`agent-${day % 3}`, {
    stream: `stream-of-day-${day}`,
    strings: ['', ...ids],
    connections: ids.map((_, index) => connectionRow(index + 1, 0)),
    samples: ids.map((_, index) => [index + 1, minute - (index % 100), 1000 + index, index, 0, 0, 0]),
    totals: Array.from({ length: 100 }, (_, index) => [
      minute - 99 + index,
      (index + 1) * 50_000,
      (index + 1) * 9000,
    ]),
    // Every tenth stays open, and is never removed.
    closed: ids.flatMap((_, index) => (index % 10 === 0 ? [] : [[index + 1, minute * 60_000]])),
  }) as SyncRequest;
  merger.v2(request, null, false);
}

/** As though a fact store had taken everything. */
function flush(): void {
  merger.seal();
  for (const { lot } of merger.lots.sealed()) merger.lots.flushed(lot);
  merger.lots.backedUp({ lot: 1e9, at: 0 });
  while (merger.lots.forgetSome(0).more);
}

for (; ; day++) {
  await begin('deliver');
  deliver();
  flush();
  await begin('prune');
  let part: PrunePart | null = merger.beginPruning(KEPT_DAYS * DAY * 60_000);
  while (part !== null) part = merger.pruneSome(part).next;
  await begin('keep totals');
  const borders = { minute: BEGIN + (day - 3) * DAY, half_hour: 0 };
  let totals: TotalsPart | null = null;
  do totals = merger.totals.step(borders, totals);
  while (totals !== null);
}
