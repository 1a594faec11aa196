import { afterAll, beforeAll, expect, it } from 'vitest';
import { Random } from '../../src/simulator/random.ts';
import { Kills, type Work } from './kills.ts';

/** `npm run test:backup` has fifty of each. */
const ROUNDS = 5;

const seed = Math.floor(Math.random() * 2 ** 31);
const kills = new Kills(new Random(`backup ${seed}`));
beforeAll(() => kills.prepare(), 120_000);
afterAll(() => kills.close());

it.each([
  ['backup', 3],
  ['backup beside a master', 2],
  ['restore', ROUNDS],
  ['compact', ROUNDS],
] as const)(
  `loses nothing when %s is killed (seed ${seed})`,
  async (work: Work, rounds: number) => {
    const said: string[] = [];
    for (let round = 0; round < rounds; round++) said.push(await kills.round(work));
    expect(said.join('\n')).toContain('SIGKILL');
  },
  180_000,
);
