// Kills agents and masters at named points of their work and holds what is left against the truth: nothing lost,
// nothing twice. `npm run test:kills -- --rounds 200 [--seed N] [--only TEXT] [--keep]`
import { parseArgs } from 'node:util';
import type { Random } from '../../src/simulator/random.ts';
import { endOnSignals } from '../support/command.ts';
import { hold } from '../support/hold.ts';
import { type RecordRow, RecordsFile } from '../support/records-file.ts';
import { Tally } from '../support/tally.ts';
import { everythingArrived } from './arrived.ts';
import { checkAgent, checkAnswers, checkFacts, checkOriginals, checkTotals } from './check-end.ts';
import { KILLS, type Kill } from './points.ts';
import { World } from './world.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string' },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const kills = KILLS.filter(({ name }) => name.includes(values.only ?? ''));
if (kills.length === 0) throw new Error(`no kill is named like "${values.only}"`);

/** Every kind of kill once before any comes again, in an order of the seed's. */
function* schedule(random: Random): Generator<Kill, never> {
  for (;;) {
    const left = [...kills];
    while (left.length > 0) {
      const [kill] = left.splice(random.between(0, left.length - 1), 1);
      if (kill !== undefined) yield kill;
    }
  }
}

console.log(`kills: ${rounds} rounds, seed ${seed}`);
const began = performance.now();
const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
endOnSignals();
const tally = new Tally();
const world = new World(seed);
const seen = new Map<string, RecordRow>();

function balanced(): void {
  const file = new RecordsFile(world.database, seen);
  try {
    file.balanced();
  } finally {
    file.close();
  }
}

async function atTheEnd(): Promise<void> {
  const ended = await world.end(() => everythingArrived(world.database, world.agents));
  await tally.test('everything stops in order', () => {
    for (const { code } of [...ended.agents, ended.master]) hold(code === 0, () => `exit ${code}`);
  });
  const file = new RecordsFile(world.database, seen);
  try {
    const records = file.records();
    await tally.test('records and facts agree', () => file.balanced());
    for (const agent of world.agents) {
      await tally.test(`agent ${agent.id} and the truth`, () => checkAgent(agent, records));
      await tally.test(`totals of agent ${agent.id}`, () => checkTotals(agent, file));
      await tally.test(`answers about agent ${agent.id}`, () => checkAnswers(agent, file, ended.answers));
    }
    await tally.test('rows of the original', () => checkOriginals(world, records));
    let lots = 0;
    await tally.test('the fact store', async () => {
      lots = await checkFacts(world.database.replace(/db$/, 'facts.duckdb'), file);
    });
    console.log(`kills: ${records.length} connections, ${lots} lots, ${seconds()}`);
  } finally {
    file.close();
  }
}

try {
  await world.begin();
  console.log(`kills: traffic began after ${seconds()}`);
  const next = schedule(world.random);
  for (let number = 1; number <= rounds && tally.failed === 0; number++) {
    const kill = next.next().value;
    const from = performance.now();
    const ok = await tally.test(`round ${number}, ${kill.name}`, async () => {
      await world.round(number, kill);
      balanced();
    });
    const took = ((performance.now() - from) / 1000).toFixed(1);
    if (ok) console.log(`round ${String(number).padStart(3)}  ${took.padStart(4)} s  ${kill.name}`);
  }
  if (tally.failed === 0) await tally.test('the end', atTheEnd);
} catch (error) {
  tally.failed++;
  console.log(`FAILED to begin: ${(error as Error).stack}`);
} finally {
  if (tally.failed > 0) console.log(world.lastWords());
  if (tally.failed > 0) console.log(`replay: npm run test:kills -- --rounds ${rounds} --seed ${seed}`);
  if (values.keep) console.log(`kept: ${world.directory.keep()}`);
  await world.close();
}
tally.end();
process.exit();
