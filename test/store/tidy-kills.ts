import { join } from 'node:path';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import type { Fact } from '../../src/master/store/store.ts';
import { hold } from '../support/hold.ts';
import { killWhen } from './kill-when.ts';
import { tidyLot } from './tidy-lots.ts';

const PROGRAM = join(import.meta.dirname, 'tidy-forever.ts');
/** A step of a rollup takes some ms, and one of retention, with its checkpoint, some tens. */
const LONGEST_MS = { 'roll up': 12, retain: 60 } as const;

export type Tidying = keyof typeof LONGEST_MS;
export const TIDYINGS = Object.keys(LONGEST_MS) as Tidying[];

/** Runs until it begins such a step for the n-th time, and a random moment longer. */
export async function killIn(what: Tidying, directory: string): Promise<void> {
  const times = 1 + Math.floor(Math.random() * 3);
  await killWhen({ args: [PROGRAM, directory], line: what, times, longestMs: LONGEST_MS[what] });
}

interface Sum {
  down: number;
  up: number;
  conns: number;
}

/** What is in the file is what its lots are: nothing lost, nothing twice, in both tiers. Returns the number of lots. */
export async function checkTidied(directory: string): Promise<number> {
  const store = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 1 });
  await store.start();
  try {
    await store.check();
    const lots = (await store.lots(100_000)).reverse().map(({ lot }) => lot);
    hold(
      lots.every((lot, index) => lot === index + 1),
      () => `lots ${lots.join(' ')}`,
    );
    const { watermark, tiers } = await store.coverage();
    const facts = lots.flatMap((lot) => tidyLot(lot).facts.map((one) => ({ ...one, lot })));
    const rolledUp = facts.filter(({ lot }) => lot <= watermark);
    await compare(store, 'half_hour', tiers.half_hour.wholeFrom, rolledUp);
    await compare(store, 'minute', tiers.minute.wholeFrom, facts);
    return lots.length;
  } finally {
    await store.stop();
  }
}

/** By half hour and table, from where retention keeps all. */
async function compare(
  store: EmbeddedFactStore,
  tier: 'minute' | 'half_hour',
  from: number,
  facts: readonly Fact[],
): Promise<void> {
  const key = (bucket: number, kind: number) => `${bucket - (bucket % 30)} kind ${kind}`;
  const expected = new Map<string, Sum>();
  for (const one of facts.filter(({ bucket }) => bucket >= from)) {
    const sum = expected.get(key(one.bucket, one.kind)) ?? { down: 0, up: 0, conns: 0 };
    sum.down += one.download;
    sum.up += one.upload;
    sum.conns += one.conns;
    expected.set(key(one.bucket, one.kind), sum);
  }
  const text = `SELECT bucket // 30 * 30 AS b, kind, sum(down) AS d, sum(up) AS u, sum(conns) AS n FROM (
       SELECT bucket, 0 AS kind, down, up, conns FROM ${tier}
       UNION ALL SELECT bucket, kind, down, up, conns FROM ${tier}_aside)
     WHERE bucket >= ${from} GROUP BY ALL`;
  const rows = await store.read((run) => run({ text, values: [] }));
  const stored = new Map(
    rows.map(({ b, kind, d, u, n }) => [key(Number(b), Number(kind)), `${d}/${u} ×${n}`]),
  );
  for (const [half, { down, up, conns }] of expected) {
    const sum = `${down}/${up} ×${conns}`;
    hold(stored.get(half) === sum, () => `${tier} ${half}: ${stored.get(half)}, not ${sum}`);
  }
  hold(stored.size === expected.size, () => `${tier}: ${stored.size} sums, not ${expected.size}`);
}
