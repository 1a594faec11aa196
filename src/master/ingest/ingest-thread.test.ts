import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { connectionRow, v2Body } from '../../../test/support/bodies.ts';
import { TestDirectory } from '../../../test/support/directory.ts';
import { sleep, waitFor } from '../../../test/support/wait.ts';
import { silentLogger } from '../../common/logger.ts';
import { openReader } from '../../common/sqlite.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import { IngestThread } from './ingest-thread.ts';
import { Merger } from './merger.ts';

const DAY = 86_400_000;
const RECORDS = 2500;

let directory: TestDirectory;
let path: string;
beforeEach(() => {
  directory = new TestDirectory();
  path = directory.file('master.db');
  vi.useFakeTimers({ toFake: ['setInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
  directory.remove();
});

/** What came in a hundred days ago, and is in the fact store for good; and totals by the minute. */
function fill(): void {
  let now = Date.now() - 100 * DAY;
  const merger = new Merger({ path, now: () => now, reserveLocal: false });
  const minute = Math.floor(now / DAY) * 1440;
  const ids = Array.from({ length: RECORDS }, (_, index) => `c${index}`);
  for (let from = 0; from < RECORDS; from += 500) {
    const page = ids.slice(from, from + 500);
    const request = v2Body('home', {
      strings: ['', ...page],
      connections: page.map((_, index) => connectionRow(index + 1, 0)),
      samples: page.map((_, index) => [index + 1, minute, 10, 1, 0, 0, 0]),
      totals: [[minute + from / 500, 5000, 500]],
      closed: page.map((_, index) => [index + 1, now]),
    }) as SyncRequest;
    expect(merger.v2(request, null, false).ok).toBe(true);
  }
  now += 1;
  merger.seal();
  for (const { lot } of merger.lots.sealed()) merger.lots.flushed(lot);
  merger.lots.backedUp({ lot: 1e9, at: now });
  while (merger.lots.forgetSome(now).more);
  merger.close();
}

function rows(table: string): number {
  const db = openReader(path);
  const count = db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  db.close();
  return count;
}

async function withThread(days: number, work: (thread: IngestThread) => Promise<void>): Promise<void> {
  const thread = new IngestThread({
    path,
    reserveLocal: false,
    recordRetentionDays: days,
    onHurry: () => {},
    logger: silentLogger(),
  });
  await thread.start();
  try {
    await work(thread);
  } finally {
    await thread.stop();
  }
}

it('removes old records by itself, and remembers how many', async () => {
  fill();
  await withThread(90, async (thread) => {
    expect(thread.pruned.records).toBe(0);
    vi.advanceTimersByTime(10 * 60_000);
    await waitFor('all to be removed', () => thread.pruned.records === RECORDS);
    expect(thread.pruned).toMatchObject({ download: 10 * RECORDS, upload: RECORDS });
    expect(rows('connections')).toBe(0);
  });
  await withThread(0, async (thread) => expect(thread.pruned.records).toBe(RECORDS));
});

it('removes none where they are kept for ever, or for longer', async () => {
  fill();
  for (const days of [0, 101]) {
    await withThread(days, async (thread) => {
      vi.advanceTimersByTime(10 * 60_000);
      // Asked after whatever the tidying asked.
      await thread.status();
      await sleep(200);
      expect(thread.pruned.records).toBe(0);
    });
  }
  expect(rows('connections')).toBe(RECORDS);
});

it('brings core totals in line with what is kept of the facts', async () => {
  fill();
  expect(rows('core_totals')).toBe(5);
  await withThread(0, async (thread) => {
    const today = Math.floor(Date.now() / DAY) * 1440;
    await thread.keepTotals({ minute: today, half_hour: 0 });
    expect(rows('core_totals')).toBe(1);
    await thread.keepTotals({ minute: today, half_hour: today });
    expect(rows('core_totals')).toBe(0);
  });
});
