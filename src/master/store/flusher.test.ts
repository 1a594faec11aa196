import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from '../../common/backoff.ts';
import { silentLogger } from '../../common/logger.ts';
import { EmbeddedFactStore } from './embedded/embedded-fact-store.ts';
import { fact, lotOf, MemoryLots, tokenOf } from './facts.test-support.ts';
import { LotFlusher, type LotFlusherOptions } from './flusher.ts';
import { alignFacts } from './startup.ts';
import type { Fact } from './store.ts';

let directory: string;
let facts: EmbeddedFactStore;
let source: MemoryLots;
let flusher: LotFlusher | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'flusher-'));
  facts = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 1 });
  await facts.start();
  source = new MemoryLots();
});
afterEach(async () => {
  await flusher?.stop();
  flusher = undefined;
  await facts.stop();
  rmSync(directory, { recursive: true, force: true });
});

let conn = 0;
function some(count: number): Fact[] {
  return Array.from({ length: count }, () => fact({ conn: ++conn, download: 1 }));
}

function make(options: Partial<LotFlusherOptions> = {}): LotFlusher {
  flusher = new LotFlusher({
    source,
    facts,
    log: silentLogger(),
    intervalMs: 60_000,
    backoff: new Backoff(5, 10, () => 1),
    ...options,
  });
  return flusher;
}

async function stored(): Promise<{ facts: number; lots: string }> {
  const rows = await facts.read((run) => run({ text: 'SELECT count(*) AS n FROM minute', values: [] }));
  const lots = await facts.lots(1000);
  return {
    facts: Number(rows[0]?.n),
    lots: lots
      .reverse()
      .map((lot) => `${lot.lot}${lot.state === 'gap' ? '~' : ''}`)
      .join(' '),
  };
}

const until = (check: () => boolean | Promise<boolean>) =>
  vi.waitFor(async () => expect(await check()).toBe(true), { timeout: 5000, interval: 5 });

describe('cadence', () => {
  it('flushes at the start, at its interval, and what comes between', async () => {
    source.waiting = some(10);
    const subject = make({ intervalMs: 30 });
    await subject.start();
    await until(() => subject.metrics.rows === 10);
    source.waiting = some(5);
    await until(() => subject.metrics.rows === 15);
    expect(await stored()).toEqual({ facts: 15, lots: '1 2' });
    expect(subject.state).toMatchObject({ ok: true, waiting: 0, error: null });
    expect(source.entries.every((entry) => entry.flushed)).toBe(true);
  });

  it('flushes at once when many rows wait, and not for a few', async () => {
    const subject = make({ hurryRows: 100 });
    await subject.start();
    await until(() => subject.metrics.flushes === 1);
    source.waiting = some(100);
    subject.poke(99);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(subject.metrics.rows).toBe(0);
    subject.poke(100);
    await until(() => subject.metrics.rows === 100);
  });

  it('makes what waits visible to a query, at most once a second', async () => {
    let clock = 1_000_000;
    const subject = make({ now: () => clock });
    await subject.start();
    await until(() => subject.metrics.flushes === 1);
    clock += 5000;
    source.waiting = some(3);
    await Promise.all([subject.flushNow(), subject.flushNow(), subject.flushNow()]);
    expect(subject.metrics).toMatchObject({ flushes: 2, rows: 3 });
    expect(subject.state.freshTo).toBe(1_005_000);
    source.waiting = some(4);
    clock += 999;
    await subject.flushNow();
    expect(subject.state).toMatchObject({ freshTo: 1_005_000 });
    clock += 1;
    await subject.flushNow();
    expect(subject.metrics.rows).toBe(7);
  });

  /** Holds up the rows of lots until `open` is called. */
  function gate(): { open: () => void } {
    const opened = Promise.withResolvers<void>();
    const rows = source.rows.bind(source);
    source.rows = async (...args) => {
      await opened.promise;
      return rows(...args);
    };
    return { open: opened.resolve };
  }

  it('does not let a query wait for a long flush', async () => {
    const subject = make({ queryPatienceMs: 20, queryIntervalMs: 0 });
    await subject.start();
    await until(() => subject.metrics.flushes === 1);
    source.waiting = some(1);
    const { open } = gate();
    const freshTo = subject.state.freshTo;
    await subject.flushNow();
    expect(subject.state.freshTo).toBe(freshTo);
    open();
    await until(() => subject.metrics.rows === 1);
  });

  it('holds up one query of a crowd, and the others hardly', async () => {
    const subject = make({
      queryPatienceMs: 60_000,
      crowdPatienceMs: 20,
      queryIntervalMs: 0,
    });
    await subject.start();
    await until(() => subject.metrics.flushes === 1);
    source.waiting = some(1);
    const { open } = gate();
    const first = subject.flushNow();
    await subject.flushNow();
    expect(subject.metrics.rows).toBe(0);
    open();
    await first;
    expect(subject.metrics.rows).toBe(1);
  });

  it('comes less often for queries where it takes long', async () => {
    let clock = 1_000_000;
    const subject = make({ now: () => clock });
    await subject.start();
    await until(() => subject.metrics.flushes === 1);
    const rows = source.rows.bind(source);
    source.rows = (...args) => {
      clock += 400;
      return rows(...args);
    };
    clock += 1000;
    source.waiting = some(1);
    await subject.flushNow();
    expect(subject.metrics.rows).toBe(1);
    source.waiting = some(1);
    clock += 3599;
    await subject.flushNow();
    expect(subject.metrics.rows).toBe(1);
    clock += 1;
    await subject.flushNow();
    expect(subject.metrics.rows).toBe(2);
  });
});

describe('failures', () => {
  it('cost freshness only', async () => {
    const subject = make();
    await subject.start();
    await until(() => subject.metrics.flushes === 1);
    const append = facts.append.bind(facts);
    facts.append = () => Promise.reject(new Error('disk full'));
    source.waiting = some(10);
    expect(await subject.drain()).toBe(false);
    expect(subject.state).toMatchObject({ ok: false, error: 'disk full' });
    await until(() => subject.metrics.failures > 2);
    facts.append = append;
    await until(() => subject.state.ok);
    expect(await stored()).toEqual({ facts: 10, lots: '1' });
  });

  it('never let a younger lot pass an older one', async () => {
    source.add(some(1));
    source.add(some(1));
    const rows = source.rows.bind(source);
    let broken = true;
    source.rows = async (lot, ...rest) => {
      if (lot === 1 && broken) throw new Error('unreadable');
      return rows(lot, ...rest);
    };
    const subject = make();
    await subject.start();
    await until(() => subject.metrics.failures > 1);
    expect((await stored()).lots).toBe('');
    broken = false;
    await until(() => subject.state.ok);
    expect((await stored()).lots).toBe('1 2');
  });

  it('end the start when the facts belong to other records', async () => {
    await facts.adopt('someone else');
    await expect(make().start()).rejects.toMatchObject({ code: 'file_foreign' });
  });

  it('a lot that was committed and not confirmed is confirmed, not doubled', async () => {
    const lot = source.add(some(7));
    await facts.adopt(source.id);
    await facts.append(lot, [source.entries[0]?.facts ?? []]);
    const subject = make();
    await subject.start();
    await until(() => subject.metrics.flushes === 1);
    expect(await stored()).toEqual({ facts: 7, lots: '1' });
    expect(subject.metrics.repeated).toBe(1);
    expect(source.entries[0]?.flushed).toBe(true);
  });
});

describe('at every start', () => {
  it('flushes again what a restored facts file lacks, and records what is gone', async () => {
    for (let lot = 1; lot <= 6; lot++) source.add(some(lot));
    await make().start();
    await flusher?.drain();
    await flusher?.stop();
    await facts.cutAbove(1);
    for (const entry of source.entries.slice(0, 3)) entry.lot.kept = false;
    const onLoss = vi.fn();
    const subject = make({ onLoss });
    await subject.start();
    await subject.drain();
    expect(await stored()).toEqual({ facts: 1 + 4 + 5 + 6, lots: '1 2~ 3~ 4 5 6' });
    expect(subject.metrics.gaps).toBe(2);
    expect(onLoss).toHaveBeenCalledTimes(1);
  });

  it('cuts what restored records do not know, before anything is flushed', async () => {
    for (let lot = 1; lot <= 4; lot++) source.add(some(lot));
    await make().start();
    await flusher?.drain();
    await flusher?.stop();
    source.entries.splice(2);
    source.add(some(50), tokenOf(3, 'b'));
    const onLoss = vi.fn();
    const subject = make({ onLoss });
    await subject.start();
    await subject.drain();
    expect(await stored()).toEqual({ facts: 1 + 2 + 50, lots: '1 2 3' });
    expect(subject.metrics.cuts).toBe(1);
    expect(onLoss).toHaveBeenCalledTimes(1);
  });

  it('finds the newest common lot over pages of either side', async () => {
    for (let lot = 1; lot <= 25; lot++) source.add([]);
    await facts.adopt(source.id);
    await facts.recordGap(source.entries.slice(0, 12).map((entry) => entry.lot));
    await facts.recordGap(
      Array.from({ length: 40 }, (_, index) => lotOf(13 + index, [], tokenOf(13 + index, 'c'))),
    );
    const found = await alignFacts(source, facts, 4);
    expect(found).toMatchObject({ common: 12, cut: true });
    expect(found.flush.map((lot) => lot.lot)).toEqual([13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
    expect((await facts.lots(1))[0]?.lot).toBe(12);
  });
});
