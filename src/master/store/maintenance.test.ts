import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { CodedError } from '../../common/errors.ts';
import { silentLogger } from '../../common/logger.ts';
import type { EmbeddedFactStore } from './embedded/embedded-fact-store.ts';
import { lastGoodOf } from './embedded/last-good.ts';
import { useStoreDirectory } from './embedded/store-directory.test-support.ts';
import { fact, lotOf } from './facts.test-support.ts';
import {
  CHECK_EVERY_MS,
  Maintenance,
  type MaintenanceOptions,
  ROLLUP_FACTS,
  type TotalsBorders,
} from './maintenance.ts';
import type { RetentionPolicy } from './retention.ts';
import { expectTiersToAgree } from './tiers.test-support.ts';

const at = useStoreDirectory();

const HOUR_MS = 3_600_000;
const FOREVER: RetentionPolicy = { days: { minute: 0, half_hour: 0 }, budget: null };
const BEGIN_MS = Date.UTC(2026, 0, 1, 12);

function make(facts: EmbeddedFactStore, options: Partial<MaintenanceOptions> = {}): Maintenance {
  return new Maintenance({ facts, retention: FOREVER, log: silentLogger(), ...options });
}

async function append(store: EmbeddedFactStore, lot: number, count = 5): Promise<void> {
  const facts = Array.from({ length: count }, (_, index) =>
    fact({ conn: lot * 1000 + index, bucket: BEGIN_MS / 60_000 + index, download: index * 7919 }),
  );
  await store.append(lotOf(lot, facts), [facts]);
}

describe('a round', () => {
  it('rolls up, drops, merges and checks, and tells what is there then', async () => {
    let now = BEGIN_MS;
    const store = await at.open({ now: () => now });
    await append(store, 1);
    await append(store, 2);
    const days = { minute: 14, half_hour: 400 };
    const subject = make(store, { retention: { days, budget: null }, now: () => now });
    await subject.run();
    expect(subject.state).toMatchObject({
      lastRoundAt: now,
      error: null,
      damage: null,
      checkedAt: now,
      missing: [],
    });
    expect(subject.state.coverage).toMatchObject({
      watermark: 2,
      tiers: { minute: { rows: 10, wholeFrom: 0 } },
    });
    await expectTiersToAgree(store);
    now += 20 * 24 * HOUR_MS;
    await subject.run();
    expect(subject.metrics).toMatchObject({ rounds: 2, rollups: 1, droppedMinutes: 10, droppedHalfHours: 0 });
    expect(subject.state.coverage?.tiers).toMatchObject({
      minute: { rows: 0 },
      half_hour: { first: BEGIN_MS / 60_000 },
    });
    expect(subject.state.coverage?.tiers.minute.wholeFrom).toBeGreaterThan(BEGIN_MS / 60_000);
  });

  it('has core totals kept as the facts are, whenever something of these is gone', async () => {
    let now = BEGIN_MS;
    const store = await at.open({ now: () => now });
    await append(store, 1);
    const asked: TotalsBorders[] = [];
    let fails = false;
    const totals = {
      keepTotals: async (borders: TotalsBorders) => {
        if (fails) throw new Error('the records are busy');
        asked.push(borders);
      },
    };
    const days = { minute: 14, half_hour: 30 };
    const subject = make(store, { retention: { days, budget: null }, totals, now: () => now });
    await subject.run();
    now += 20 * 24 * HOUR_MS;
    fails = true;
    await subject.run();
    expect(subject.state.error).toBe('the records are busy');
    fails = false;
    await subject.run();
    await subject.run();
    const minute = Math.floor((now - 14 * 24 * HOUR_MS) / 86_400_000) * 1440;
    expect(asked).toEqual([{ minute, half_hour: 0 }]);
    now += 20 * 24 * HOUR_MS;
    await subject.run();
    const half_hour = Math.floor((now - 30 * 24 * HOUR_MS) / 86_400_000) * 1440;
    expect(asked.slice(1)).toEqual([{ minute, half_hour }]);
    expect(subject.state.error).toBeNull();
  });

  it('goes by steps after weeks without one, so that flushes get their turn', async () => {
    const store = await at.open();
    for (let lot = 1; lot <= 6; lot++) await append(store, lot, 1000);
    const order: string[] = [];
    const rollUp = store.rollUp.bind(store);
    store.rollUp = async (maxRows) => {
      expect(maxRows).toBe(ROLLUP_FACTS);
      const step = await rollUp(2000);
      order.push(`rolled up to ${step.watermark}`);
      return step;
    };
    const subject = make(store);
    const round = subject.run();
    await append(store, 7, 10).then(() => order.push('flushed'));
    await round;
    expect(order.indexOf('flushed')).toBeLessThan(order.length - 1);
    expect(order.at(-1)).toBe('rolled up to 7');
    await expectTiersToAgree(store);
  });

  it('that fails says so, and leaves its work to the next', async () => {
    const store = await at.open();
    await append(store, 1);
    const subject = make(store);
    const rollUp = store.rollUp.bind(store);
    store.rollUp = () => Promise.reject(new Error('disk full'));
    await subject.start();
    await subject.run();
    await subject.stop();
    expect(subject.state).toMatchObject({ lastRoundAt: 0, error: 'disk full' });
    expect(subject.metrics).toMatchObject({ rounds: 0, failures: 1 });
    const unreadable = make(store);
    const { coverage } = store;
    store.coverage = () => Promise.reject(new Error('unreadable'));
    await unreadable.start();
    await unreadable.stop();
    expect(unreadable.state.error).toBe('unreadable');
    store.coverage = coverage;
    store.rollUp = rollUp;
    const next = make(store);
    await next.run();
    expect(next.state.error).toBeNull();
    expect((await store.coverage()).watermark).toBe(1);
  });

  it('reads every column once a week', async () => {
    let now = BEGIN_MS;
    const store = await at.open({ now: () => now });
    const check = vi.spyOn(store, 'check');
    const subject = make(store, { now: () => now });
    for (const later of [0, HOUR_MS, CHECK_EVERY_MS - 2 * HOUR_MS, 2 * HOUR_MS]) {
      now += later;
      await subject.run();
    }
    expect(check).toHaveBeenCalledTimes(2);
    // Remembered in the store, for a master that is started often.
    await make(store, { now: () => now }).run();
    expect(check).toHaveBeenCalledTimes(2);
  });

  it('says that the file is damaged until it is read whole', async () => {
    await (await at.filled(60_000)).stop();
    rmSync(lastGoodOf(at.path));
    const { store, undamaged } = await openDamaged();
    const subject = make(store, { now: () => BEGIN_MS });
    await subject.run();
    expect(subject.state.damage).toContain(at.path);
    expect(subject.state.checkedAt).toBe(0);
    await store.stop();
    writeFileSync(at.path, undamaged);
    const mended = await at.open();
    const next = make(mended, { now: () => BEGIN_MS });
    await next.run();
    expect(next.state.damage).toBeNull();
  });
});

describe('trouble', () => {
  it('of a rollup that meets damage is told as damage, before the week is over', async () => {
    const store = await at.open();
    await append(store, 1);
    const subject = make(store);
    await subject.run();
    store.rollUp = () => Promise.reject(new Error('checksum'));
    store.check = () => Promise.reject(new CodedError('file_damaged', 'the facts file: checksum'));
    await subject.run();
    expect(subject.state).toMatchObject({ error: 'checksum', damage: 'the facts file: checksum' });
  });

  it('of a budget that is too small is told once nothing more may go, until it fits', async () => {
    const store = await at.open();
    await append(store, 1);
    await store.reclaim();
    const retention = { days: { minute: 0, half_hour: 0 }, budget: 1 };
    const subject = make(store, { retention, now: () => BEGIN_MS });
    await subject.run();
    expect(subject.state.overBudget).toBe(true);
    store.usedBytes = async () => 1;
    await subject.run();
    expect(subject.state.overBudget).toBe(false);
  });
});

describe('its clock', () => {
  it('begins at once when there was no rollup in the last hour, and else waits for the next', async () => {
    let now = BEGIN_MS;
    const store = await at.open({ now: () => now });
    await append(store, 1);
    const subject = make(store, { now: () => now });
    await subject.start();
    await subject.run();
    await subject.stop();
    expect(subject.metrics.rounds).toBe(1);
    now += 30 * 60_000;
    await append(store, 2);
    const next = make(store, { now: () => now });
    await next.start();
    await next.stop();
    expect(next.metrics.rounds).toBe(0);
    expect((await store.coverage()).watermark).toBe(1);
  });

  it('runs five minutes past the hour', async () => {
    const store = await at.open({ now: () => BEGIN_MS });
    await append(store, 1);
    await store.rollUp(1000);
    vi.useFakeTimers({ now: BEGIN_MS + 17 * 60_000, toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    try {
      const subject = make(store);
      const run = vi.spyOn(subject, 'run').mockResolvedValue(undefined);
      await subject.start();
      vi.advanceTimersByTime(48 * 60_000 - 1);
      expect(run).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(run).toHaveBeenCalledTimes(1);
      vi.advanceTimersByTime(HOUR_MS);
      expect(run).toHaveBeenCalledTimes(2);
      await subject.stop();
      vi.advanceTimersByTime(2 * HOUR_MS);
      expect(run).toHaveBeenCalledTimes(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends between two steps when it is stopped, a long read of every column too', async () => {
    const store = await at.open();
    for (let lot = 1; lot <= 3; lot++) await append(store, lot);
    const rollUp = store.rollUp.bind(store);
    let steps = 0;
    const subject = make(store);
    store.rollUp = async () => {
      if (++steps === 2) void subject.stop();
      return await rollUp(1);
    };
    await subject.run();
    expect(steps).toBe(2);
    expect(subject.metrics).toMatchObject({ rounds: 0, failures: 0 });

    store.rollUp = rollUp;
    const other = make(store);
    store.check = (signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        void other.stop();
      });
    await other.start();
    await other.run();
    expect(other.state).toMatchObject({ error: null, damage: null, lastRoundAt: 0 });
  });
});

/** The store with one place overwritten, chosen so that it opens and shows only when that column is read. */
async function openDamaged(): Promise<{ store: EmbeddedFactStore; undamaged: Buffer }> {
  const undamaged = readFileSync(at.path);
  for (let offset = 12_288; offset < undamaged.length; offset += 262_144) {
    const damaged = Buffer.from(undamaged);
    damaged.fill(0x5a, offset + 1000, offset + 1500);
    writeFileSync(at.path, damaged);
    const store = await at.open().catch(() => null);
    const code = await store?.check().then(
      () => 'fine',
      (error: { code?: string }) => error.code,
    );
    if (store !== null && code === 'file_damaged') return { store, undamaged };
    await store?.stop();
    rmSync(lastGoodOf(at.path), { force: true });
  }
  throw new Error('no damage was found by reading alone');
}
