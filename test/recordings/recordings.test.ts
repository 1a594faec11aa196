import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { LotFlusher } from '../../src/master/store/flusher.ts';
import { SimulatedCore } from '../../src/simulator/core.ts';
import { readRecording } from '../../src/simulator/replay.ts';
import { Source } from '../faults/facts.ts';
import { checkBooks } from '../support/books.ts';
import { DirectMaster } from '../support/direct-master.ts';
import { TestDirectory } from '../support/directory.ts';
import { JournalAgent } from '../support/journal-agent.ts';
import { RECORDED, RECORDINGS, type RunTruth } from '../support/recorded-truth.ts';

interface Frame {
  at: number;
  text: string;
  /** The feed broke between the frame before and this one. */
  broken: boolean;
}

/** The frames of each core run: totals start anew with it. */
async function runsOf(file: string): Promise<Frame[][]> {
  const runs: Frame[][] = [];
  let last = Number.POSITIVE_INFINITY;
  let broken = false;
  for await (const event of readRecording(`${RECORDINGS}/${file}`)) {
    if (!('frame' in event)) {
      broken = event.event === 'close' || broken;
      continue;
    }
    const { downloadTotal } = JSON.parse(event.frame) as { downloadTotal: number };
    if (downloadTotal < last) runs.push([]);
    last = downloadTotal;
    runs.at(-1)?.push({ at: event.at, text: event.frame, broken });
    broken = false;
  }
  return runs;
}

let directory: TestDirectory;
let master: DirectMaster;
let agent: JournalAgent;
let now: number;
let frames: number;
beforeEach(() => {
  directory = new TestDirectory();
  now = 0;
  frames = 0;
  master = new DirectMaster(directory.file('master.db'), () => now);
});
afterEach(() => {
  agent.close();
  master.close();
  directory.remove();
});

function start(): void {
  agent = new JournalAgent({
    path: directory.file('agent.db'),
    agentId: 'router',
    core: new SimulatedCore({ profile: null }),
    transport: master.transport(),
    wall: () => now,
  });
}

function show(frame: Frame): void {
  if (frame.broken && frames > 0) agent.lose('core-down');
  now = frame.at;
  expect(agent.see(frame.text)).toBe(true);
  expect(agent.recorder.flush()).toBe(true);
  frames++;
}

/** What the master has booked so far, in the words of the table. */
function booked(): RunTruth {
  checkBooks(master.merger.db);
  const sum = (sql: string) => (master.merger.db.prepare(sql).pluck().get() as number | null) ?? 0;
  const facts = (kind: number) => sum(`SELECT sum(down + up) FROM pending_facts WHERE kind = ${kind}`);
  return {
    frames,
    ids: sum('SELECT count(*) FROM connections'),
    overlayIds: sum('SELECT count(*) FROM connections WHERE counted = 0'),
    totals: sum('SELECT sum(down + up) FROM core_totals'),
    counted: facts(0),
    unattributed: facts(2),
    overlay: facts(1),
  };
}

/** What the first frame of a run shows: a run that is watched from its very beginning has that, too. */
function firstFrame({ text }: Frame): RunTruth {
  const frame = JSON.parse(text) as {
    downloadTotal: number;
    uploadTotal: number;
    connections: { download: number; upload: number; metadata: { type: string; process: string } }[] | null;
  };
  const sums = { counted: 0, overlay: 0 };
  for (const { download, upload, metadata } of frame.connections ?? []) {
    const overlay = metadata.type === 'Inner' && metadata.process === '';
    sums[overlay ? 'overlay' : 'counted'] += download + upload;
  }
  const totals = frame.downloadTotal + frame.uploadTotal;
  return { frames: 0, ids: 0, overlayIds: 0, totals, ...sums, unattributed: totals - sums.counted };
}

function plus(rows: RunTruth[]): RunTruth {
  return rows.reduce(
    (sum, one) =>
      Object.fromEntries(
        Object.entries(sum).map(([key, value]) => [key, value + one[key as keyof RunTruth]]),
      ) as never as RunTruth,
  );
}

describe.each(RECORDED)('%s, from the scanner to the master', (file, table) => {
  it.each(table.map((expected, run) => ({ run: run + 1, expected })))(
    'attached at the first frame of run $run: the table, to the byte',
    async ({ run, expected }) => {
      start();
      for (const frame of (await runsOf(file))[run - 1] ?? []) show(frame);
      await agent.deliver();
      expect(booked()).toEqual(expected);
    },
  );

  it('watched over all its runs: each run, to the byte, in its turn', async () => {
    start();
    const runs = await runsOf(file);
    const expected: RunTruth[] = [];
    for (const [i, run] of runs.entries()) {
      for (const frame of run) show(frame);
      await agent.deliver();
      const [first] = run;
      if (i > 0 && first !== undefined) expected.push(firstFrame(first));
      expected.push(table[i] as RunTruth);
      expect(booked()).toEqual(plus(expected));
    }
    expect(master.merger.db.prepare('SELECT count(*) FROM runs').pluck().get()).toBe(runs.length);
    expect(master.merger.db.prepare('SELECT count(*) FROM gaps').pluck().get()).toBe(runs.length - 1);
  });

  it('with the agent started anew in the middle: the same, and the gap marked', async () => {
    start();
    const [run = []] = await runsOf(file);
    for (const [i, frame] of run.entries()) {
      if (i === Math.floor(run.length / 2)) {
        agent.close();
        start();
      }
      show(frame);
      if (i % 10 === 9) await agent.deliver();
    }
    await agent.deliver();
    expect(booked()).toEqual(table[0]);
    const gaps = master.merger.db.prepare('SELECT reason, to_ms - from_ms AS ms FROM gaps').all();
    expect(gaps).toEqual([{ reason: 'tracker-down', ms: expect.any(Number) }]);
    const recovered = master.merger.db.prepare('SELECT sum(recovered) FROM pending_facts').pluck().get();
    expect(recovered).toBeGreaterThan(0);
  });

  it('the fact store sums to the same', async () => {
    start();
    const [run = []] = await runsOf(file);
    for (const frame of run) show(frame);
    await agent.deliver();
    const facts = new EmbeddedFactStore({ path: directory.file('facts.duckdb'), threads: 1 });
    await facts.start();
    const source = new Source(
      { alive: true, merger: master.merger },
      () => now,
      () => false,
    );
    const flusher = new LotFlusher({ source, facts, log: silentLogger(), intervalMs: 2 ** 30 });
    await flusher.start();
    expect(await flusher.drain()).toBe(true);
    const rows = await facts.read((query) =>
      query({
        text: `SELECT 0 AS kind, sum(up + down) AS bytes, count(*) FILTER (WHERE prev = 0) AS opened FROM minute
               UNION ALL SELECT kind, sum(up + down), count(*) FILTER (WHERE prev = 0 AND conn > 0) FROM minute_aside
               GROUP BY kind ORDER BY kind`,
        values: [],
      }),
    );
    await flusher.stop();
    await facts.stop();
    const { ids, overlayIds, counted, overlay, unattributed } = table[0] as RunTruth;
    expect(rows.map((one) => [Number(one.kind), Number(one.bytes), Number(one.opened)])).toEqual([
      [0, counted, ids - overlayIds],
      [1, overlay, overlayIds],
      [2, unattributed, 0],
    ]);
  });
});
