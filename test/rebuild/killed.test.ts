import { afterAll, expect, it } from 'vitest';
import { rowsOf } from '../../src/master/store/tiers.test-support.ts';
import { RunningCommand } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { sleep } from '../support/wait.ts';
import { Stores } from './stores.ts';

const directory = new TestDirectory();
afterAll(() => directory.remove());

const KILLS = 5;
const TOTALS = `SELECT sum(down)::BIGINT AS d
  FROM (SELECT down FROM half_hour UNION ALL SELECT down FROM half_hour_aside WHERE kind = 1)`;

it(`a rebuild that is killed ${KILLS} times leaves facts that are whole, and can be begun again`, async () => {
  const stores = new Stores(directory.path);
  const begun = Array.from({ length: 600 }, (_, conn) => ({ start: conn, base: 0 }));
  for (let from = 0; from < begun.length; from += 100) {
    stores.deliver(
      begun,
      begun.slice(from, from + 100).map(({ start }, index) => ({
        conn: from + index,
        minute: start + 200 * (index % 30),
        down: 1000 + index,
        up: 1,
      })),
    );
  }
  await stores.flush(async () => {});
  stores.forget();
  const totals = await stores.flush((store) => rowsOf(store, TOTALS));
  for (let kill = 0; kill < KILLS; kill++) {
    stores.merger.close();
    const command = new RunningCommand([
      'facts',
      'rebuild',
      '--from-records',
      '--force',
      '--database',
      stores.database,
    ]);
    await sleep(300 + Math.random() * 1500);
    await command.kill();
    stores.open();
    // Whichever of the two it is, it holds every byte of every connection.
    expect(await stores.flush((store) => rowsOf(store, TOTALS))).toEqual(totals);
  }
  await stores.rebuild(true);
  expect(await stores.flush((store) => rowsOf(store, TOTALS))).toEqual(totals);
});
