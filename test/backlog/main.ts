// A master that is away, for minutes or for a month: what an agent records meanwhile stays within its bounds and
// arrives completely. `npm run test:backlog` runs everything small; `-- --month [--budget MiB]` a month as it is.
import { parseArgs } from 'node:util';
import { endOnSignals } from '../support/command.ts';
import { Tally } from '../support/tally.ts';
import { offline } from './offline.ts';
import { outage } from './outage.ts';

const { values } = parseArgs({
  options: {
    month: { type: 'boolean', default: false },
    budget: { type: 'string', default: '512' },
    seed: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
endOnSignals();
const tally = new Tally();
console.log(`backlog: seed ${seed}`);
if (values.month) {
  const budgetMib = Number(values.budget);
  const month = { name: 'month', days: 30, connections: 600_000, budgetMib, seed };
  await tally.test('a month offline', () => offline({ ...month, expect: { lost: budgetMib < 256 } }));
} else {
  const days = { days: 2, connections: 10_000, seed };
  await tally.test('25,000 connections without a master', () => outage(seed));
  await tally.test('two days offline, coarsened', () =>
    offline({ ...days, name: 'coarse', budgetMib: 7, expect: { thinned: true, lost: false } }),
  );
  await tally.test('two days offline, partly lost', () =>
    offline({ ...days, name: 'tight', budgetMib: 4, expect: { thinned: true, lost: true } }),
  );
}
tally.end();
process.exit();
