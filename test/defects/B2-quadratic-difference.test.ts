// The original compared snapshots in quadratic time under a lock: the first snapshot of 10,000 connections took 1.33 s where
// that of 1,000 took 8 ms.
import { expect, it } from 'vitest';
import { Books } from '../../src/agent/books/books.ts';
import { emptyState } from '../../src/agent/books/state.ts';
import { SnapshotScanner } from '../../src/agent/collector/scanner.ts';
import { SimulatedCore } from '../../src/simulator/core.ts';

const FEW = 3000;
const TIMES = 5;

/** A first snapshot, one in which all have moved, and one in which half are others: milliseconds of CPU. */
function cost(frames: readonly Buffer[]): number {
  const scanner = new SnapshotScanner();
  const books = new Books({ state: emptyState(), open: [] });
  books.opened({ version: 'v', clockOffsetMs: 0, polled: false });
  const before = process.cpuUsage();
  frames.forEach((frame, i) => {
    const outcome = scanner.scan(frame, Date.UTC(2026, 6, 1) + i * 1000);
    if (!outcome.ok) throw new Error(outcome.detail);
    books.snapshot(outcome.diff);
    books.changes();
    books.committed();
  });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function framesOf(count: number): Buffer[] {
  const core = new SimulatedCore({ profile: null });
  const open = () => core.open({ host: 'www.example.com', chains: ['HK', 'Proxy'] }, { download: 1 });
  for (let i = 0; i < count; i++) open();
  const frames = [Buffer.from(core.frameBytes())];
  for (const id of core.ids()) core.move(id, 10, 1);
  core.advance(1000);
  frames.push(Buffer.from(core.frameBytes()));
  for (const id of core.ids().slice(0, count / 2)) core.close(id);
  for (let i = 0; i < count / 2; i++) open();
  core.advance(1000);
  frames.push(Buffer.from(core.frameBytes()));
  return frames;
}

it(`B2: ${TIMES} times the connections cost about ${TIMES} times the work, not ${TIMES * TIMES} times`, () => {
  const few = framesOf(FEW);
  const many = framesOf(FEW * TIMES);
  cost(few);
  // The least of several runs: what else the machine does only ever adds.
  const least = (frames: readonly Buffer[]) => Math.min(...Array.from({ length: 4 }, () => cost(frames)));
  expect(least(many) / least(few)).toBeLessThan(TIMES * 2.5);
});
