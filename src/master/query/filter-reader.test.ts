import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedFactStore } from '../store/embedded/embedded-fact-store.ts';
import { fact, lotOf } from '../store/facts.test-support.ts';
import { FilterReader } from './filter-reader.ts';

let directory: string;
let facts: EmbeddedFactStore;
let now: number;
let lots: number;
let reads: number;
let reader: FilterReader;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'filter-reader-'));
  facts = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 1 });
  await facts.start();
  [now, lots, reads] = [1_000_000, 0, 0];
  reader = new FilterReader({
    facts: {
      read: (work, options) => {
        reads++;
        return facts.read(work, options);
      },
    },
    freshness: { flushNow: async () => undefined },
    records: { agents: async () => (lots === 0 ? [] : [{ agentId: 'silent' }]) },
    now: () => now,
  });
});
afterEach(async () => {
  await facts.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function add(agent: string, network: string, kind: 0 | 1 = 0): Promise<void> {
  const lot = [fact({ agent, kind, fields: { network, conn_type: kind === 1 ? 'Inner' : 'Tun' } })];
  await facts.append(lotOf(++lots, lot), [lot]);
}

const read = async (text: string) =>
  (await reader.read(text, 'connections')).problems.map(({ at, problem, hint }) => [at, problem, hint]);

describe('what the data knows of closed sets', () => {
  it('is not asked for without a filter, and takes any value while there is no data', async () => {
    expect(await reader.read(undefined, 'facts')).toEqual({ filter: null, problems: [] });
    expect(await reader.read('', 'facts')).toEqual({ filter: null, problems: [] });
    expect(reads).toBe(0);
    expect(await read('agent = home or network = tcp')).toEqual([]);
  });

  it('makes a value that is nowhere an error, with the nearest one', async () => {
    await add('home', 'tcp');
    await add('home', 'udp', 1);
    expect(await read('agent = hoem and network in (tcp, udb)')).toEqual([
      [[8, 12], 'agent is never "hoem"', 'do you mean home?'],
      [[34, 37], 'network is never "udb"', 'do you mean udp?'],
    ]);
    expect(await read('agent = silent or conn_type in (Inner, Tun)')).toEqual([]);
  });

  it('is looked up again for a value that is new, at most once a second', async () => {
    await add('home', 'tcp');
    expect(await read('agent = home')).toEqual([]);
    await add('office', 'tcp');
    expect(await read('agent = office')).toHaveLength(1);
    now += 1000;
    const both = await Promise.all([read('agent = office'), read('agent = office')]);
    expect(both).toEqual([[], []]);
    now += 1000;
    expect(await read('agent = office and network = tcp')).toEqual([]);
    expect(reads).toBe(2);
  });

  it('knows what a filter may name: facts have no age', async () => {
    await add('home', 'tcp');
    expect((await reader.read('age > 2h', 'facts', 'q')).problems).toEqual([
      {
        field: 'q',
        at: [0, 3],
        problem: 'age is known of single connections only',
        hint: 'filter by it in /connections',
      },
    ]);
  });
});
