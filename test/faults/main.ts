import { parseArgs } from 'node:util';
import { check } from './check.ts';
import { FAULTS, type Fault, Schedule } from './schedule.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    from: { type: 'string' },
    faults: { type: 'string' },
    'stop-after': { type: 'string', default: '5' },
    quiet: { type: 'boolean', default: false },
  },
});

const only = values.faults?.split(',').map((name) => {
  if (!(FAULTS as readonly string[]).includes(name))
    throw new Error(`no fault "${name}": ${FAULTS.join(', ')}`);
  return name as Fault;
});
const runs = values.seed === undefined ? Number(values.runs) : 1;
const from = Number(values.seed ?? values.from ?? Math.floor(Math.random() * 2 ** 31));

let passed = 0;
let failed = 0;
let statements = 0;
const began = Date.now();
console.log(`faults: ${runs} schedules from seed ${from}`);
for (let i = 0; i < runs && failed < Number(values['stop-after']); i++) {
  const seed = from + i;
  const schedule = new Schedule(only === undefined ? { seed } : { seed, faults: only });
  try {
    await schedule.run();
    statements += check(schedule);
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED seed ${seed} [${[...schedule.faults].join(', ')}]`);
    console.log(`  ${values.seed === undefined ? (error as Error).message : (error as Error).stack}`);
    console.log(
      `  replay: npm run test:faults -- --seed ${seed}${only ? ` --faults ${only.join(',')}` : ''}`,
    );
  } finally {
    schedule.close();
  }
}
const seconds = ((Date.now() - began) / 1000).toFixed(1);
if (!values.quiet) console.log(`faults: ${statements} statements held, ${seconds} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
