import { afterAll, expect, it } from 'vitest';
import { TestDirectory } from '../support/directory.ts';
import { checkPruned, killPruning, PRUNINGS } from './prune-kills.ts';

const directory = new TestDirectory();
afterAll(() => directory.remove());

const KILLS = 5;

it.each(PRUNINGS)(
  `removes wholly or not at all when killed ${KILLS} times in: %s`,
  async (what) => {
    const database = directory.file(`${what}.db`);
    for (let kill = 0; kill < KILLS; kill++) {
      await killPruning(what, database);
      checkPruned(database);
    }
    expect(checkPruned(database)).toBeGreaterThan(1000);
  },
  120_000,
);
