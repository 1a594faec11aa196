// Kills backups (at rest, and beside a master), restores and compactions, and looks at what is left: nothing lost,
// nothing half done. `npm run test:backup -- --rounds 50 [--seed N] [--only TEXT]`; so many rounds of each.
import { parseArgs } from 'node:util';
import { Random } from '../../src/simulator/random.ts';
import { endOnSignals } from '../support/command.ts';
import { Tally } from '../support/tally.ts';
import { Kills, WORKS } from './kills.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const works = WORKS.filter((work) => values.only === undefined || work === values.only);
if (works.length === 0) throw new Error(`--only is one of ${WORKS.join(', ')}`);

console.log(`kills of backup, restore and compact: ${rounds} rounds of each, seed ${seed}`);
endOnSignals();
const tally = new Tally();
const kills = new Kills(new Random(`backup ${seed}`));
try {
  await kills.prepare();
  for (let round = 1; round <= rounds; round++) {
    for (const work of works) {
      await tally.test(`${work}, round ${round}`, async () => {
        console.log(`${work.padEnd(22)} ${String(round).padStart(3)}  ${await kills.round(work)}`);
      });
    }
  }
} finally {
  kills.close();
}
if (tally.failed > 0) console.log(`replay: npm run test:backup -- --rounds ${rounds} --seed ${seed}`);
tally.end();
process.exit();
