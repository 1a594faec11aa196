// Kills a fact store while it rolls up and while it drops and merges, and holds the file against what its lots are; and
// the records while retention removes some, and holds what is left against what was delivered.
// `npm run test:store-kills -- --kills 50 [--only TEXT]`
import { parseArgs } from 'node:util';
import { TestDirectory } from '../support/directory.ts';
import { Tally } from '../support/tally.ts';
import { checkPruned, killPruning, PRUNINGS } from './prune-kills.ts';
import { checkTidied, killIn, TIDYINGS } from './tidy-kills.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '50' }, only: { type: 'string', default: '' } },
});
const tally = new Tally();
const began = performance.now();
for (const what of TIDYINGS.filter((name) => name.includes(values.only))) {
  const directory = new TestDirectory();
  for (let kill = 1; kill <= Number(values.kills) && tally.failed === 0; kill++) {
    await tally.test(`kill ${kill} in "${what}"`, async () => {
      await killIn(what, directory.path);
      await checkTidied(directory.path);
    });
  }
  console.log(
    `${what}: ${await checkTidied(directory.path)} lots, ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
  directory.remove();
}
for (const what of PRUNINGS.filter((name) => name.includes(values.only))) {
  const directory = new TestDirectory();
  const database = directory.file('master.db');
  for (let kill = 1; kill <= Number(values.kills) && tally.failed === 0; kill++) {
    await tally.test(`kill ${kill} in "${what}"`, async () => {
      await killPruning(what, database);
      checkPruned(database);
    });
  }
  console.log(
    `${what}: ${checkPruned(database)} records removed, ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
  directory.remove();
}
tally.end();
