import { afterAll, expect, it } from 'vitest';
import { TestDirectory } from '../support/directory.ts';
import { checkTidied, killIn, TIDYINGS } from './tidy-kills.ts';

const directory = new TestDirectory();
afterAll(() => directory.remove());

const KILLS = 5;

it.each(TIDYINGS)(`loses and doubles nothing when killed ${KILLS} times in: %s`, async (what) => {
  const before = await checkTidied(directory.path);
  for (let kill = 0; kill < KILLS; kill++) {
    await killIn(what, directory.path);
    await checkTidied(directory.path);
  }
  expect(await checkTidied(directory.path)).toBeGreaterThan(before);
});
